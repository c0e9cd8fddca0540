//! The Secrets that a spec names, as they were read.

use std::collections::BTreeMap;

use kube::Client;

use super::desired::MOST_BYTES;
use crate::api::connection::SecretKey;
use crate::controllers::runtime::credentials::secrets;
use crate::controllers::runtime::problem::Problem;
use crate::glue::identity::SecretData;

/// A Secret as it was read.
#[derive(Clone, Default)]
pub struct Values {
    /// Its uid and resource version; empty when it does not exist.
    pub version: String,
    /// Its data.
    pub data: SecretData,
}

/// Secrets by name.
pub type Secrets = BTreeMap<String, Values>;

/// Reads the Secrets with these keys. A Secret that does not exist is an empty one.
pub async fn read(client: &Client, namespace: &str, keys: &[&SecretKey]) -> Result<Secrets, Problem> {
    let mut read = Secrets::new();
    for SecretKey { name, .. } in keys {
        if read.contains_key(name) {
            continue;
        }
        let found = secrets::read(client, namespace, name).await?;
        let values = found.map_or_else(Values::default, |found| {
            let (uid, version) = (found.metadata.uid.as_deref(), found.metadata.resource_version.as_deref());
            let version = format!("{}/{}", uid.unwrap_or_default(), version.unwrap_or_default());
            Values { version, data: named(secrets::data(found), name, keys) }
        });
        read.insert(name.clone(), values);
    }
    Ok(read)
}

/// The values of these keys. A Secret may have a megabyte, and a spec may name many of them: what Glue does not take is not
/// kept.
fn named(data: SecretData, name: &str, keys: &[&SecretKey]) -> SecretData {
    let is_named = |entry: &str| keys.iter().any(|key| key.name == name && key.key == entry);
    let named = data.into_iter().filter(|(entry, _)| is_named(entry));
    let kept = named.map(|(entry, value)| {
        let too_long = value.len() > MOST_BYTES;
        // It is refused for its length.
        (entry, if too_long { vec![b' '; MOST_BYTES + 1].into() } else { value })
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_of_a_secret_but_the_named_values_that_glue_takes() {
        let of = |bytes| vec![b'x'; bytes].into();
        let data = [("other", 1_000_000), ("fits", MOST_BYTES), ("long", 1_000_000)];
        let data = data.map(|(key, bytes)| (key.to_owned(), of(bytes))).into();
        let key = |key: &str| SecretKey { name: "db".to_owned(), key: key.to_owned() };
        let elsewhere = SecretKey { name: "elsewhere".to_owned(), key: "other".to_owned() };
        let kept = named(data, "db", &[&key("fits"), &key("long"), &key("absent"), &elsewhere]);
        let lengths: Vec<_> = kept.iter().map(|(key, value)| (key.as_str(), value.len())).collect();
        assert_eq!(lengths, [("fits", MOST_BYTES), ("long", MOST_BYTES + 1)]);
    }
}
