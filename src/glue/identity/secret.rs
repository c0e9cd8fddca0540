//! Reads the keys of a Secret, and names the key of each invalid value.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{IdentityError, Keys, Sensitive, Setting, check, validation};

/// The data of a Secret. Dropped values are overwritten in memory.
pub type SecretData = BTreeMap<String, Zeroizing<Vec<u8>>>;

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

/// A Secret, whether it exists or not.
pub(super) struct SecretView<'a> {
    /// `namespace/name`.
    pub name: &'a str,
    /// The data; `None` where the Secret does not exist, or is not used.
    pub data: Option<&'a SecretData>,
}

impl SecretView<'_> {
    pub(super) fn setting(&self, key: &'static str) -> Setting {
        Setting::SecretKey { secret: self.name.to_owned(), key }
    }

    /// The access key, if the Secret has any part of one. It must have all of it then.
    pub(super) fn keys(&self) -> Result<Option<Keys>, IdentityError> {
        let parts = [ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN];
        let has_part = self.data.is_some_and(|data| parts.iter().any(|key| data.contains_key(*key)));
        if has_part { self.required_keys() } else { Ok(None) }
    }

    /// The access key; `None` only where there is no Secret.
    pub(super) fn required_keys(&self) -> Result<Option<Keys>, IdentityError> {
        if self.data.is_none() {
            return Ok(None);
        }
        let access_key_id = Sensitive::new(self.required(ACCESS_KEY_ID)?);
        let secret_access_key = Sensitive::new(self.required(SECRET_ACCESS_KEY)?);
        let session_token = self.text(SESSION_TOKEN)?.map(Sensitive::new);
        // They go into a header of each request.
        check(&self.setting(ACCESS_KEY_ID), validation::header_value(access_key_id.expose()))?;
        let token = session_token.as_ref().map_or(Ok(()), |token| validation::header_value(token.expose()));
        check(&self.setting(SESSION_TOKEN), token)?;
        Ok(Some(Keys { access_key_id, secret_access_key, session_token }))
    }

    fn required(&self, key: &'static str) -> Result<String, IdentityError> {
        let missing =
            || IdentityError::MissingKey { secret: self.name.to_owned(), key, similar: self.similar_key(key) };
        self.text(key)?.ok_or_else(missing)
    }

    /// A key of the Secret that spells `key` in another way.
    fn similar_key(&self, key: &str) -> Option<String> {
        let normalized = |key: &str| -> String {
            let letters = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
            letters.strip_prefix("aws").map(str::to_owned).unwrap_or(letters)
        };
        let mut keys = self.data.into_iter().flat_map(BTreeMap::keys);
        keys.find(|other| normalized(other) == normalized(key)).cloned()
    }

    /// A value as text. White space around it is nearly always a mistake with `echo` or an editor, and AWS would
    /// answer with a signature error that does not name the cause.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<String>, IdentityError> {
        let invalid = |problem| IdentityError::InvalidValue { setting: self.setting(key), problem };
        let Some(bytes) = self.data.and_then(|data| data.get(key)) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| invalid("is not text: store the value itself, base64-encoded once"))?;
        if text.is_empty() {
            return Err(invalid("is empty: fill it, or remove the key"));
        }
        if text.trim() != text {
            return Err(invalid("begins or ends with white space or a line end: store it without (printf, not echo)"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(invalid("contains white space or control characters: store the value as AWS issued it"));
        }
        Ok(Some(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    #[test]
    fn the_data_of_a_secret_is_overwritten_when_it_is_dropped() {
        fn are_overwritten<T: ZeroizeOnDrop>(_: &BTreeMap<String, T>) {}
        are_overwritten(&SecretData::new());
    }
}
