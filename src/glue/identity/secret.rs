//! What stands in a Secret: read key by key, each slip named with its key and its remedy.

use std::collections::BTreeMap;

use super::{IdentityError, Keys, Sensitive};

/// The data of a Secret.
pub type SecretData = BTreeMap<String, Vec<u8>>;

const ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";

/// A Secret, or the place where there is none.
pub(super) struct SecretView<'a> {
    /// `namespace/name`.
    pub name: &'a str,
    /// What stands in it; nothing when it is not there, or not to be looked at.
    pub data: Option<&'a SecretData>,
}

impl SecretView<'_> {
    /// The name of a key for people.
    pub(super) fn place(&self, key: &str) -> String {
        format!("key {key} of Secret {}", self.name)
    }

    /// The access key, when any part of one is there: then all of it must be.
    pub(super) fn keys(&self) -> Result<Option<Keys>, IdentityError> {
        let any = self.data.is_some_and(|data| [ID, SECRET, TOKEN].iter().any(|key| data.contains_key(*key)));
        if any { self.required_keys() } else { Ok(None) }
    }

    /// The access key; nothing only when there is no Secret.
    pub(super) fn required_keys(&self) -> Result<Option<Keys>, IdentityError> {
        if self.data.is_none() {
            return Ok(None);
        }
        let access_key_id = Sensitive::new(self.required(ID)?);
        let secret_access_key = Sensitive::new(self.required(SECRET)?);
        let session_token = self.text(TOKEN)?.map(Sensitive::new);
        Ok(Some(Keys { access_key_id, secret_access_key, session_token }))
    }

    fn required(&self, key: &'static str) -> Result<String, IdentityError> {
        let missing = || IdentityError::MissingKey { secret: self.name.to_owned(), key, hint: self.meant_for(key) };
        self.text(key)?.ok_or_else(missing)
    }

    /// A key of the Secret that looks like `key` in another spelling.
    fn meant_for(&self, key: &str) -> String {
        let bare = |key: &str| -> String {
            let letters = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
            letters.strip_prefix("aws").map(str::to_owned).unwrap_or(letters)
        };
        let found = self.data.into_iter().flat_map(BTreeMap::keys).find(|other| bare(other) == bare(key));
        found.map(|found| format!("; it has {found}")).unwrap_or_default()
    }

    /// A value as text. Blanks around it are almost always a slip of `echo` or an editor, and AWS would
    /// answer with a signature error that names no cause: so it is said here.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<String>, IdentityError> {
        let bad = |problem| IdentityError::BadValue { place: self.place(key), problem };
        let Some(bytes) = self.data.and_then(|data| data.get(key)) else {
            return Ok(None);
        };
        let text =
            std::str::from_utf8(bytes).map_err(|_| bad("is not text: store the value itself, base64-encoded once"))?;
        if text.is_empty() {
            return Err(bad("is empty: fill it, or remove the key"));
        }
        if text.trim() != text {
            return Err(bad("begins or ends with white space or a line end: store it without (printf, not echo)"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(bad("contains white space or control characters: store the value as AWS gave it"));
        }
        Ok(Some(text.to_owned()))
    }
}
