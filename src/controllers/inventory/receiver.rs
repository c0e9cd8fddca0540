//! Where an inventory sends lineage: what its spec, its Secret and the operator's list say together.

use kube::{Client, ResourceExt};

use crate::api::GlueInventory;
use crate::api::connection::SecretKey;
use crate::api::lineage::{InventoryLineage, LineageTransport};
use crate::controllers::runtime::credentials::secrets;
use crate::controllers::runtime::kind::Inputs;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::{OpenLineage, Settings};
use crate::glue::Glue;
use crate::glue::identity::{SecretData, Sensitive, is_header_value};

/// What [`Receiver::name`] is for the receiver of the controller.
const CONTROLLER: &str = "controller";

/// Where events are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// To the receiver that the operator named.
    Controller {
        /// Whether scripts are read.
        from_scripts: bool,
    },
    /// To that of the spec.
    Own(OpenLineage),
}

impl Receiver {
    /// How the status names it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Controller { .. } => CONTROLLER,
            Self::Own(OpenLineage { url, .. }) => url,
        }
    }

    /// That of `lineage` in `namespace`, with the data of the Secret that it names; `None` where that does not exist.
    fn of(
        lineage: &InventoryLineage,
        namespace: &str,
        secret: Option<&SecretData>,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let from_scripts = lineage.from_scripts.unwrap_or_default();
        let Some(transport) = &lineage.transport else {
            if settings.open_lineage.is_none() {
                let message = "spec.lineage names no transport, and the operator of kube-glue has named no receiver \
                               (--openlineage-url): set spec.lineage.transport";
                return Err(Problem::new(Reason::NoReceiver, message));
            }
            return Ok(Self::Controller { from_scripts });
        };
        let LineageTransport { url, endpoint, api_key_secret_ref } = transport;
        let url = settings.identity_rules.allowed_receiver(namespace, url).ok_or_else(|| {
            let message = format!(
                "the operator of kube-glue does not list {url} as a receiver for namespace {namespace} \
                 (--allowed-lineage-receivers)"
            );
            Problem::new(Reason::ReceiverNotAllowed, message)
        })?;
        let endpoint = endpoint.as_deref().unwrap_or(OpenLineage::USUAL_ENDPOINT);
        let api_key = api_key_secret_ref.as_ref().map(|key| api_key(namespace, key, secret)).transpose()?;
        Ok(Self::Own(OpenLineage {
            url: OpenLineage::endpoint_url(&url, endpoint),
            api_key,
            namespace: lineage.namespace.clone(),
            from_scripts,
        }))
    }
}

/// The bearer token that the Secret has.
fn api_key(
    namespace: &str,
    SecretKey { name, key }: &SecretKey,
    secret: Option<&SecretData>,
) -> Result<Sensitive, Problem> {
    let not_found = || {
        let message = format!("Secret {namespace}/{name} of spec.lineage.transport.apiKeySecretRef does not exist");
        Problem::new(Reason::SecretNotFound, message)
    };
    let invalid =
        |what: &str| Problem::new(Reason::SecretInvalid, format!("key {key} of Secret {namespace}/{name} {what}"));
    let value = secret.ok_or_else(not_found)?.get(key).ok_or_else(|| invalid("is missing"))?;
    let text = std::str::from_utf8(value).map_err(|_| invalid("is no text"))?;
    if !is_header_value(text) {
        return Err(invalid("is no bearer token: it is empty, or has a blank or a line break in it"));
    }
    Ok(Sensitive::new(text.to_owned()))
}

/// Where an inventory sends lineage, as it was read.
#[derive(Debug, Default)]
pub struct InventoryInputs {
    /// `None` where it sends none.
    pub receiver: Option<Receiver>,
    secrets: Vec<Sensitive>,
}

impl Inputs<GlueInventory> for InventoryInputs {
    fn secrets(object: &GlueInventory) -> Vec<&str> {
        secret_key(object).map(|key| key.name.as_str()).into_iter().collect()
    }

    async fn read(
        object: &GlueInventory,
        client: &Client,
        _: Option<&Glue>,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let Some(lineage) = enabled(object) else { return Ok(Self::default()) };
        let namespace = object.namespace().unwrap_or_default();
        let secret = match secret_key(object) {
            Some(key) => secrets::read(client, &namespace, &key.name).await?.map(secrets::data),
            None => None,
        };
        let receiver = Receiver::of(lineage, &namespace, secret.as_ref(), settings)?;
        let secrets = match &receiver {
            Receiver::Own(OpenLineage { api_key, .. }) => api_key.iter().cloned().collect(),
            Receiver::Controller { .. } => Vec::new(),
        };
        Ok(Self { receiver: Some(receiver), secrets })
    }

    fn sensitive(&self) -> &[Sensitive] {
        &self.secrets
    }
}

fn enabled(object: &GlueInventory) -> Option<&InventoryLineage> {
    object.spec.lineage.as_ref().filter(|lineage| lineage.is_enabled())
}

fn secret_key(object: &GlueInventory) -> Option<&SecretKey> {
    enabled(object)?.transport.as_ref()?.api_key_secret_ref.as_ref()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::glue::identity::Rules;

    fn settings(has_own: bool, receivers: &[&str]) -> Settings {
        let own = OpenLineage {
            url: "http://marquez:5000/api/v1/lineage".to_owned(),
            api_key: None,
            namespace: None,
            from_scripts: true,
        };
        let receivers = receivers.iter().map(|text| text.parse().unwrap()).collect();
        Settings {
            open_lineage: has_own.then_some(own),
            identity_rules: Rules { receivers, ..Rules::default() },
            ..Settings::example()
        }
    }

    fn receiver(lineage: Value, secret: Option<(&str, &[u8])>, settings: &Settings) -> Result<Receiver, Reason> {
        let lineage: InventoryLineage = serde_json::from_value(lineage).unwrap();
        let secret = secret.map(|(key, value)| SecretData::from([(key.to_owned(), value.to_vec().into())]));
        Receiver::of(&lineage, "team-a", secret.as_ref(), settings).map_err(|problem| {
            assert!(!problem.message.contains("swordfish"), "{problem:?}");
            problem.reason
        })
    }

    #[test]
    fn without_a_transport_it_is_that_of_the_controller() {
        let lineage = || json!({"fromScripts": true});
        assert_eq!(receiver(lineage(), None, &settings(false, &[])), Err(Reason::NoReceiver));
        let of_controller = receiver(lineage(), None, &settings(true, &[])).unwrap();
        assert_eq!(
            (of_controller.name(), &of_controller),
            ("controller", &Receiver::Controller { from_scripts: true })
        );
    }

    #[test]
    fn a_receiver_must_be_listed_for_the_namespace() {
        let lineage =
            || json!({"namespace": "glue", "transport": {"url": "http://MARQUEZ:5000/", "endpoint": "/a/b/"}});
        for listed in [&[][..], &["team-b=http://marquez:5000"], &["team-a=marquez"], &["team-a=http://marquez:5001"]] {
            assert_eq!(
                receiver(lineage(), None, &settings(true, listed)),
                Err(Reason::ReceiverNotAllowed),
                "{listed:?}"
            );
        }
        let Receiver::Own(own) = receiver(lineage(), None, &settings(true, &["team-*=http://marquez:5000"])).unwrap()
        else {
            panic!("it has one of its own");
        };
        assert_eq!((own.url.as_str(), own.namespace.as_deref()), ("http://marquez:5000/a/b", Some("glue")));
        assert_eq!((own.api_key, own.from_scripts), (None, false));
    }

    #[test]
    fn an_api_key_comes_from_a_secret_of_its_namespace() {
        let of = |secret: Option<(&str, &[u8])>| {
            let key = json!({"name": "catalog", "key": "token"});
            let lineage = json!({"transport": {"url": "https://catalog", "apiKeySecretRef": key}});
            receiver(lineage, secret, &settings(false, &["team-a=catalog"]))
        };
        assert_eq!(of(None), Err(Reason::SecretNotFound));
        for value in [&b""[..], b"swordfish 9", b"swordfish\n", b"swordfish\xff"] {
            assert_eq!(of(Some(("token", value))), Err(Reason::SecretInvalid), "{value:?}");
        }
        assert_eq!(of(Some(("other", b"swordfish"))), Err(Reason::SecretInvalid));
        let Receiver::Own(own) = of(Some(("token", b"swordfish"))).unwrap() else { panic!("it has one of its own") };
        assert_eq!(own.api_key, Some(Sensitive::new("swordfish".to_owned())));
        assert_eq!(own.url, "https://catalog/api/v1/lineage");
    }
}
