//! Pages and their tokens. A token says where the next page begins; it is opaque to a client, and one that was
//! not given out for the same list is refused.

#[cfg(test)]
mod tests;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::error::AwsError;

/// The token for a position in a list.
#[must_use]
pub fn token(list: &str, position: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}{position}", seal(list, position)))
}

/// The position a token stands for in a list.
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

/// A page of named items in the order of their names: those after the token's name, and the next token.
///
/// `names` must be sorted. Things that come or go between two pages shift nothing.
pub fn by_name<'a, T>(
    list: &str,
    items: impl Iterator<Item = (&'a str, T)>,
    next_token: Option<&str>,
    size: usize,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let after = next_token.map(|token| position(list, token)).transpose()?;
    let mut rest = items.skip_while(|(name, _)| after.as_deref().is_some_and(|after| *name <= after));
    let mut page = Vec::new();
    let mut shown = "";
    for (name, item) in rest.by_ref().take(size) {
        shown = name;
        page.push(item);
    }
    let next = rest.next().is_some().then(|| token(list, shown));
    Ok((page, next))
}

/// An answer with one list and, where there is more, the next token.
#[must_use]
pub fn answer<T: serde::Serialize>(name: &str, page: &[T], next: Option<String>) -> serde_json::Value {
    let mut answer = serde_json::json!({ name: page });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    answer
}
