//! The values that a run is given by name: those of the spec, and those that come from Secrets and ConfigMaps. Glue calls
//! them the arguments of a job run, and the properties of a workflow run.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client};

use crate::api::job_run::{ArgumentFrom, KeyRef, MAX_ARGUMENTS_BYTES};
use crate::controllers::runtime::credentials::secrets;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::redaction::Sensitive;

/// Values by name, and which of them are secret.
#[derive(Clone, Debug, Default)]
pub struct NamedValues {
    values: BTreeMap<String, Sensitive>,
    secrets: Vec<Sensitive>,
}

impl NamedValues {
    /// Reads the `literal` values of a spec, and those that it takes `from` Secrets and ConfigMaps. `noun` is what one of them
    /// is called.
    ///
    /// # Errors
    ///
    /// A value is missing, is not text, or cannot be read; or all of them have more than [`MAX_ARGUMENTS_BYTES`].
    pub async fn read(
        client: &Client,
        namespace: &str,
        noun: &str,
        literal: Option<&BTreeMap<String, String>>,
        from: Option<&[ArgumentFrom]>,
    ) -> Result<Self, Problem> {
        let literal = literal.into_iter().flatten();
        let literal = literal.map(|(name, value)| (name.clone(), Sensitive::new(value.clone())));
        let mut read = Self { values: literal.collect(), secrets: Vec::new() };
        read.check_size(noun)?;
        for from in from.unwrap_or_default() {
            let source = Source { namespace, noun, from };
            let (value, secret) = match (&from.secret_key_ref, &from.config_map_key_ref) {
                (Some(key), _) => (secret_value(client, source, key).await?, true),
                (None, Some(key)) => (config_value(client, source, key).await?, false),
                (None, None) => (None, false),
            };
            let Some(value) = value else { continue };
            if secret {
                read.secrets.push(value.clone());
            }
            read.values.insert(from.name.clone(), value);
            // Each may have a megabyte: the sum is bounded on the way.
            read.check_size(noun)?;
        }
        Ok(read)
    }

    /// All values, by name.
    #[must_use]
    pub fn all(&self) -> &BTreeMap<String, Sensitive> {
        &self.values
    }

    /// The values that come from Secrets.
    #[must_use]
    pub fn sensitive(&self) -> &[Sensitive] {
        &self.secrets
    }

    /// Whether there is one of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Whether Glue takes so many bytes more.
    #[must_use]
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.bytes() + bytes <= MAX_ARGUMENTS_BYTES
    }

    /// Names and values.
    fn bytes(&self) -> usize {
        self.values.iter().map(|(name, value)| name.len() + value.expose().len()).sum()
    }

    /// Glue bounds the values in all, those from Secrets and ConfigMaps included. `noun` is what one of them is called.
    fn check_size(&self, noun: &str) -> Result<(), Problem> {
        let bytes = self.bytes();
        if bytes <= MAX_ARGUMENTS_BYTES {
            return Ok(());
        }
        Err(Problem::invalid_spec(format!(
            "every {noun} counted, there are {bytes} bytes, names and values, and Glue takes {MAX_ARGUMENTS_BYTES}: create \
             the object with less, and put large values into S3"
        )))
    }
}

/// The names of the Secrets that values come from.
#[must_use]
pub fn secrets_of(from: Option<&[ArgumentFrom]>) -> Vec<&str> {
    let from = from.unwrap_or_default().iter();
    from.filter_map(|from| from.secret_key_ref.as_ref()).map(|key| key.name.as_str()).collect()
}

/// What takes a value, for messages.
#[derive(Clone, Copy)]
struct Source<'a> {
    namespace: &'a str,
    noun: &'a str,
    from: &'a ArgumentFrom,
}

async fn secret_value(client: &Client, source: Source<'_>, key: &KeyRef) -> Result<Option<Sensitive>, Problem> {
    let api: Api<Secret> = Api::namespaced(client.clone(), source.namespace);
    let found = api.get_opt(&key.name).await.map_err(|error| unreadable("Secret", source, key, &error))?;
    let value = found.and_then(|secret| secrets::take(secret, &key.key));
    take("Secret", source, key, value)
}

async fn config_value(client: &Client, source: Source<'_>, key: &KeyRef) -> Result<Option<Sensitive>, Problem> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), source.namespace);
    let found = api.get_opt(&key.name).await.map_err(|error| unreadable("ConfigMap", source, key, &error))?;
    let value = found.and_then(|map| map.data?.remove(&key.key)).map(String::into_bytes);
    take("ConfigMap", source, key, value)
}

fn take(kind: &str, source: Source<'_>, key: &KeyRef, value: Option<Vec<u8>>) -> Result<Option<Sensitive>, Problem> {
    let Source { namespace, noun, from } = source;
    let KeyRef { name, key: entry, optional } = key;
    match value.map(String::from_utf8) {
        Some(Ok(text)) => Ok(Some(Sensitive::new(text))),
        Some(Err(_)) => Err(missing(format!(
            "{noun} {}: key {entry} of {kind} {namespace}/{name} is not text: Glue takes text only",
            from.name
        ))),
        None if *optional == Some(true) => Ok(None),
        None => Err(missing(format!(
            "{noun} {}: there is no key {entry} in {kind} {namespace}/{name}: add it, and the run is started",
            from.name
        ))),
    }
}

fn missing(message: String) -> Problem {
    Problem::new(Reason::ArgumentNotFound, message)
}

fn unreadable(kind: &str, source: Source<'_>, key: &KeyRef, error: &kube::Error) -> Problem {
    let Source { namespace, noun, from } = source;
    let message = format!("{noun} {}: {kind} {namespace}/{} cannot be read: {error}", from.name, key.name);
    Problem::new(Reason::ArgumentNotReadable, message)
}

#[cfg(test)]
impl NamedValues {
    /// Values of which those of the names in `secret` come from Secrets.
    pub(crate) fn fixture<const N: usize>(values: [(&str, &str); N], secret: &[&str]) -> Self {
        let values: BTreeMap<_, _> =
            values.map(|(name, value)| (name.to_owned(), Sensitive::new(value.to_owned()))).into();
        let secrets = secret.iter().filter_map(|name| values.get(*name)).cloned().collect();
        Self { values, secrets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_are_bounded_in_all() {
        let check = |bytes: usize| {
            NamedValues::fixture([("-a", &"x".repeat(bytes - 4)), ("-b", "")], &[]).check_size("argument")
        };
        assert!(check(MAX_ARGUMENTS_BYTES).is_ok());
        let problem = check(MAX_ARGUMENTS_BYTES + 1).map_err(|problem| problem.message);
        assert!(problem.is_err_and(|message| message.contains("266241 bytes")));
    }

    #[test]
    fn secret_values_are_shown_by_no_debug_output() {
        let values = NamedValues::fixture([("--password", "hunter2")], &["--password"]);
        assert!(!format!("{values:?}").contains("hunter2"));
    }
}
