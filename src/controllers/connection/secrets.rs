//! The Secrets that a spec names, as they were read.

use std::collections::BTreeMap;

use kube::Client;
use zeroize::Zeroize;

use crate::controllers::runtime::credentials::secrets;
use crate::controllers::runtime::problem::Problem;

/// A Secret as it was read.
#[derive(Clone, Default)]
pub struct Values {
    /// Its uid and resource version; empty when it does not exist.
    pub version: String,
    /// Its data.
    pub data: BTreeMap<String, Vec<u8>>,
}

impl Drop for Values {
    fn drop(&mut self) {
        self.data.values_mut().for_each(Zeroize::zeroize);
    }
}

/// Secrets by name.
pub type Secrets = BTreeMap<String, Values>;

/// Reads the Secrets of these names. A Secret that does not exist is an empty one.
pub async fn read(client: &Client, namespace: &str, names: &[&str]) -> Result<Secrets, Problem> {
    let mut read = Secrets::new();
    for name in names {
        let found = secrets::read(client, namespace, name).await?;
        let values = found.map_or_else(Values::default, |found| {
            let (uid, version) = (found.metadata.uid.as_deref(), found.metadata.resource_version.as_deref());
            let version = format!("{}/{}", uid.unwrap_or_default(), version.unwrap_or_default());
            Values { version, data: secrets::data(found) }
        });
        read.insert((*name).to_owned(), values);
    }
    Ok(read)
}
