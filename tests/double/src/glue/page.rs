//! Pages and their tokens. A token is opaque to clients. It encodes where the next page begins, and is refused
//! when it was issued for another list.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::Range};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use sha2::{Digest, Sha256};

use super::operation::{Reply, reply};
use crate::error::AwsError;

/// The members that requests for a page share.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Paging {
    /// The token of the page before.
    pub next_token: Option<String>,
    /// The size of the page; the service's model bounds it.
    pub max_results: Option<usize>,
    /// Only resources with all of these tags; only some lists filter by tags.
    pub tags: Option<BTreeMap<String, String>>,
}

/// A page, and the token of the next one.
#[derive(Debug)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// None on the last page.
    pub next_token: Option<String>,
}

impl Paging {
    /// A page of named items: those after the name in the token. `items` must be sorted by name. An item created
    /// or deleted between two pages does not shift the others.
    pub fn by_name<'a, T>(
        &self,
        list: &str,
        items: impl Iterator<Item = (&'a str, T)>,
        default_size: usize,
    ) -> Result<Page<T>, AwsError> {
        let after = self.next_token.as_deref().map(|token| position(list, token)).transpose()?;
        let mut rest = items.skip_while(|(name, _)| after.as_deref().is_some_and(|after| *name <= after));
        let mut shown = Vec::new();
        let mut last_name = "";
        for (name, item) in rest.by_ref().take(self.max_results.unwrap_or(default_size)) {
            last_name = name;
            shown.push(item);
        }
        let next_token = rest.next().is_some().then(|| token(list, last_name));
        Ok(Page { items: shown, next_token })
    }

    /// A page of a list that is kept oldest first and shown newest first. Items appended between two pages do not
    /// shift the others.
    pub fn newest_first<'a, S, T>(
        &self,
        list: &str,
        oldest_first: &'a [S],
        default_size: usize,
        view: impl FnMut(&'a S) -> T,
    ) -> Result<Page<T>, AwsError> {
        let Range { start, end } = self.range(list, oldest_first.len(), default_size)?;
        Ok(Page {
            items: oldest_first[start..end].iter().rev().map(view).collect(),
            next_token: (start > 0).then(|| token(list, &start.to_string())),
        })
    }

    fn range(&self, list: &str, length: usize, default_size: usize) -> Result<Range<usize>, AwsError> {
        let end = match &self.next_token {
            None => length,
            Some(token) => position(list, token)?.parse().unwrap_or(0).min(length),
        };
        Ok(end.saturating_sub(self.max_results.unwrap_or(default_size))..end)
    }
}

impl<T: Serialize> Page<T> {
    /// The answer with the page in the member `name`.
    pub fn reply(&self, name: &'static str) -> Reply {
        reply(&Answer { name, page: self })
    }
}

struct Answer<'a, T> {
    name: &'static str,
    page: &'a Page<T>,
}

impl<T: Serialize> Serialize for Answer<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut answer = serializer.serialize_map(None)?;
        answer.serialize_entry(self.name, &self.page.items)?;
        if let Some(token) = &self.page.next_token {
            answer.serialize_entry("NextToken", token)?;
        }
        answer.end()
    }
}

/// The token for a position in a list.
#[must_use]
pub fn token(list: &str, position: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}{position}", seal(list, position)))
}

/// The position that a token encodes; `InvalidInputException` for a token that was not issued for this list.
pub fn position(list: &str, token: &str) -> Result<String, AwsError> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| {
            let (sealed, position) = text.split_at_checked(16)?;
            (sealed == seal(list, position)).then(|| position.to_owned())
        })
        .ok_or_else(|| AwsError::invalid("Invalid Input: NextToken is invalid"))
}

fn seal(list: &str, position: &str) -> String {
    let digest = Sha256::digest(format!("{list}\n{position}"));
    hex::encode(&digest[..8])
}
