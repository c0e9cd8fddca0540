//! The calls about connections. Reads always set `HidePassword`. Writes always send the whole input, since
//! `UpdateConnection` removes what the input omits.

mod read;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_glue::config::timeout::TimeoutConfig;

use super::batching::{BatchOperation, PendingBatches};
use super::errors;
use super::{Glue, non_empty};
use crate::glue::connections::{Connection, ConnectionInput, DELETE_BATCH_SIZE, DeleteOutcome, PAGE_SIZE};
use crate::glue::identity::partition_of;
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind};

/// The timeout of `TestConnection`. Glue really connects, and may have to set up the network first.
const TEST_TIMEOUT: Duration = Duration::from_mins(1);

impl Glue {
    /// One page of `GetConnections`, and the token of the next.
    pub async fn connections(
        &self,
        catalog: Option<&str>,
        token: Option<String>,
    ) -> Result<(Vec<Connection>, Option<String>), Error> {
        let request = self
            .inner
            .sdk
            .get_connections()
            .set_catalog_id(catalog.map(str::to_owned))
            .hide_password(true)
            .max_results(PAGE_SIZE)
            .set_next_token(token)
            .send();
        let object = catalog.map_or_else(|| "the catalog".to_owned(), |catalog| format!("catalog {catalog}"));
        let response = self.call("GetConnections", object.clone(), Priority::Poll, request).await?;
        // A list that is missing is no empty list: connections would be created again.
        let list = response
            .connection_list
            .ok_or_else(|| errors::incomplete("GetConnections", object, ErrorKind::Transient, "list of connections"))?;
        let of_catalog = catalog.and_then(account_of_catalog).map(str::to_owned);
        let account = of_catalog.or_else(|| self.caller_identity().map(|caller| caller.account_id));
        let arn = |name: &str| account.as_ref().map(|account| self.connection_arn(account, name));
        let connections = list.into_iter().filter_map(|connection| read::connection(connection, arn));
        let redacted =
            |connection: Connection| Connection { status_reason: self.redact(connection.status_reason), ..connection };
        Ok((connections.map(redacted).collect(), non_empty(response.next_token)))
    }

    /// `CreateConnection`, sent once. The caller has acquired a token with [`Glue::queue_for_start`].
    pub async fn create_connection(
        &self,
        catalog: Option<&str>,
        input: &ConnectionInput,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let object = connection(&input.name);
        let request = self
            .inner
            .sdk
            .create_connection()
            .set_catalog_id(catalog.map(str::to_owned))
            .connection_input(write::input("CreateConnection", input)?)
            .set_tags((!tags.is_empty()).then(|| tags.clone().into_iter().collect()));
        let validate = input.validate_credentials;
        let request =
            request.customize().mutate_request(move |request| write::set_validate_credentials(request, validate));
        self.send("CreateConnection", object, request.send()).await.map(drop)
    }

    /// `UpdateConnection`.
    pub async fn update_connection(&self, catalog: Option<&str>, input: &ConnectionInput) -> Result<(), Error> {
        let object = connection(&input.name);
        let request = self
            .inner
            .sdk
            .update_connection()
            .set_catalog_id(catalog.map(str::to_owned))
            .name(&input.name)
            .connection_input(write::input("UpdateConnection", input)?);
        let validate = input.validate_credentials;
        let request =
            request.customize().mutate_request(move |request| write::set_validate_credentials(request, validate));
        self.call("UpdateConnection", object, Priority::Start, request.send()).await.map(drop)
    }

    /// `TestConnection` of an existing connection.
    pub async fn test_connection(&self, catalog: Option<&str>, name: &str) -> Result<(), Error> {
        let sdk = &self.inner.sdk;
        let request = sdk.test_connection().set_catalog_id(catalog.map(str::to_owned)).connection_name(name);
        let request = request.customize().config_override(test_config()).send();
        self.call("TestConnection", connection(name), Priority::Poll, request).await.map(drop)
    }

    /// `TestConnection` of an input, before a creation or an update.
    pub async fn test_connection_input(&self, catalog: Option<&str>, input: &ConnectionInput) -> Result<(), Error> {
        let request = self
            .inner
            .sdk
            .test_connection()
            .set_catalog_id(catalog.map(str::to_owned))
            .test_connection_input(write::test_input("TestConnection", input)?);
        let request = request.customize().config_override(test_config()).send();
        self.call("TestConnection", connection(&input.name), Priority::Start, request).await.map(drop)
    }

    /// Deletes a connection, in one `BatchDeleteConnection` with others of its catalog that are deleted at the same time.
    /// A connection that does not exist is the error [`ErrorKind::NotFound`].
    pub async fn delete_connection(&self, catalog: Option<&str>, name: &str) -> DeleteOutcome {
        self.send_batched::<DeleteConnections>(catalog.unwrap_or_default(), name).await?
    }

    /// `BatchDeleteConnection`; returns the errors of the connections that Glue did not delete.
    async fn delete_connections(
        &self,
        catalog: Option<&str>,
        names: &[String],
    ) -> Result<HashMap<String, DeleteOutcome>, Error> {
        let request = self
            .inner
            .sdk
            .batch_delete_connection()
            .set_catalog_id(catalog.map(str::to_owned))
            .set_connection_name_list(Some(names.to_vec()))
            .send();
        let object = match names {
            [name] => connection(name),
            names => format!("{} connections", names.len()),
        };
        let response = self.call("BatchDeleteConnection", object, Priority::Stop, request).await?;
        let refused = response.errors.unwrap_or_default().into_iter().map(|(name, detail)| {
            let (code, message) = (detail.error_code.as_deref(), detail.error_message.as_deref());
            let error = errors::of_code("BatchDeleteConnection", connection(&name), 400, code, message);
            (name, Err(self.redact_error(error)))
        });
        Ok(refused.collect())
    }

    /// `UntagResource` and `TagResource` of a connection, each only where needed.
    pub async fn tag_connection(
        &self,
        arn: &str,
        add: &BTreeMap<String, String>,
        remove: &[String],
    ) -> Result<(), Error> {
        let sdk = &self.inner.sdk;
        if !remove.is_empty() {
            let request = sdk.untag_resource().resource_arn(arn).set_tags_to_remove(Some(remove.to_vec())).send();
            self.call("UntagResource", arn.to_owned(), Priority::Start, request).await?;
        }
        if !add.is_empty() {
            let add = add.clone().into_iter().collect();
            let request = sdk.tag_resource().resource_arn(arn).set_tags_to_add(Some(add)).send();
            self.call("TagResource", arn.to_owned(), Priority::Start, request).await?;
        }
        Ok(())
    }

    fn connection_arn(&self, account: &str, name: &str) -> String {
        let region = &self.identity().region;
        format!("arn:{}:glue:{region}:{account}:connection/{name}", partition_of(region))
    }
}

/// The account of a catalog: its id is that of the account, or begins with it and a colon (Glue API reference, `Catalog`).
fn account_of_catalog(catalog: &str) -> Option<&str> {
    let account = catalog.split_once(':').map_or(catalog, |(account, _)| account);
    (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
}

/// `BatchDeleteConnection`; a group is a catalog id, or empty for the account's own catalog.
struct DeleteConnections;

impl BatchOperation for DeleteConnections {
    const OPERATION: &'static str = "BatchDeleteConnection";
    const MAX_ITEMS: usize = DELETE_BATCH_SIZE;
    type Outcome = DeleteOutcome;

    fn pending(glue: &Glue) -> &PendingBatches<DeleteOutcome> {
        &glue.inner.pending_deletions
    }

    fn object(_: &str, name: &str) -> String {
        connection(name)
    }

    async fn send(glue: &Glue, catalog: &str, names: &[String]) -> Result<HashMap<String, DeleteOutcome>, Error> {
        glue.delete_connections(Some(catalog).filter(|catalog| !catalog.is_empty()), names).await
    }

    fn success() -> DeleteOutcome {
        Ok(())
    }
}

fn connection(name: &str) -> String {
    format!("connection {name}")
}

fn test_config() -> aws_sdk_glue::config::Builder {
    aws_sdk_glue::Config::builder().timeout_config(TimeoutConfig::builder().operation_timeout(TEST_TIMEOUT).build())
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::ConnectionPropertyKey;

    use super::*;
    use crate::api::connection::properties::KNOWN;

    #[test]
    fn the_id_of_a_catalog_has_its_account() {
        for (catalog, account) in [
            ("222222222222", Some("222222222222")),
            ("222222222222:federated", Some("222222222222")),
            ("22222222222", None),
            ("other", None),
            ("", None),
        ] {
            assert_eq!(account_of_catalog(catalog), account, "{catalog:?}");
        }
    }

    #[test]
    fn the_sdk_and_the_api_know_the_same_properties() {
        let mut sdk: Vec<_> = ConnectionPropertyKey::values().to_vec();
        let mut api = KNOWN.to_vec();
        sdk.sort_unstable();
        api.sort_unstable();
        assert_eq!(api, sdk);
    }
}
