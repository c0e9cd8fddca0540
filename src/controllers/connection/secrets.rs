//! The Secrets that a spec names, as they were read.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use crate::controllers::problem::Problem;

/// A Secret as it was read.
#[derive(Clone, Default)]
pub struct Values {
    /// Its uid and resource version; empty while there is no such Secret.
    pub version: String,
    /// What stands in it.
    pub data: BTreeMap<String, Vec<u8>>,
}

/// Secrets by name.
pub type Secrets = BTreeMap<String, Values>;

/// Reads the Secrets of these names. One that is not there is an empty one.
pub async fn read(client: &Client, namespace: &str, names: &[&str]) -> Result<Secrets, Problem> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let mut secrets = Secrets::new();
    for name in names {
        let found = api.get_opt(name).await.map_err(|error| Problem {
            reason: "SecretNotReadable".to_owned(),
            message: format!("Secret {namespace}/{name} cannot be read: {error}"),
            class: None,
        })?;
        let values = found.map_or_else(Values::default, |found| Values {
            version: format!(
                "{}/{}",
                found.metadata.uid.unwrap_or_default(),
                found.metadata.resource_version.unwrap_or_default()
            ),
            data: found.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect(),
        });
        secrets.insert((*name).to_owned(), values);
    }
    Ok(secrets)
}
