//! The arguments of a job run: those of the spec, and those whose values come from Secrets and ConfigMaps.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client, ResourceExt};

use crate::api::job_run::{ArgumentFrom, KeyRef, MAX_ARGUMENTS_BYTES, RESERVED};
use crate::api::{GlueJobRun, GlueJobRunSpec};
use crate::controllers::runtime::Settings;
use crate::controllers::runtime::credentials::secrets;
use crate::controllers::runtime::kind::Inputs;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::remedy;
use crate::glue::identity::{CredentialOrigin, Rules, Sensitive};

/// Arguments by name, and which of their values are secret.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    values: BTreeMap<String, Sensitive>,
    secrets: Vec<Sensitive>,
}

impl Arguments {
    /// The arguments as `StartJobRun` takes them.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<String, Sensitive> {
        &self.values
    }

    /// Whether there is one of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}

impl Inputs<GlueJobRun> for Arguments {
    fn secrets(object: &GlueJobRun) -> Vec<&str> {
        secrets_of(object.spec.arguments_from.as_deref())
    }

    async fn read(object: &GlueJobRun, client: &Client, settings: &Settings) -> Result<Self, Problem> {
        let reserved = settings.run_key_argument.as_deref();
        let (literal, from) = (object.spec.arguments.as_ref(), object.spec.arguments_from.as_deref());
        let arguments = read(client, &object.namespace().unwrap_or_default(), "argument", literal, from).await?;
        check_reserved(&arguments, reserved)?;
        if reserved.is_none() && object.spec.policy.idempotency_key.is_some() {
            return Err(Problem::invalid_spec(
                "idempotencyKey needs the argument by which runs are found again, and this controller sends none \
                 (--run-key-argument): create the object without it",
            ));
        }
        Ok(arguments)
    }

    fn sensitive(&self) -> &[Sensitive] {
        &self.secrets
    }

    fn refusal(&self, namespace: &str, credentials: &CredentialOrigin, rules: &Rules) -> Option<Problem> {
        let is_refused = |name: &&String| rules.refuses_argument(namespace, credentials, name);
        let names: Vec<_> = self.values.keys().filter(is_refused).map(String::as_str).collect();
        (!names.is_empty()).then(|| {
            let message = format!(
                "the operator of kube-glue does not let namespace {namespace} set {} with {} (--refused-arguments), since \
                 Glue may run other code than that of the job then: set it in the job, and create the object without it",
                names.join(", "),
                remedy::credentials(credentials),
            );
            Problem::new(Reason::ArgumentNotAllowed, message)
        })
    }
}

/// The names of the Secrets that values come from.
#[must_use]
pub fn secrets_of(from: Option<&[ArgumentFrom]>) -> Vec<&str> {
    let from = from.unwrap_or_default().iter();
    from.filter_map(|from| from.secret_key_ref.as_ref()).map(|key| key.name.as_str()).collect()
}

/// Reads values that a spec has, and those that it takes from Secrets and ConfigMaps. `noun` is what one of them is called.
pub async fn read(
    client: &Client,
    namespace: &str,
    noun: &str,
    literal: Option<&BTreeMap<String, String>>,
    from: Option<&[ArgumentFrom]>,
) -> Result<Arguments, Problem> {
    let mut arguments = Arguments::default();
    for (name, value) in literal.into_iter().flatten() {
        arguments.values.insert(name.clone(), Sensitive::new(value.clone()));
    }
    check_size(&arguments, noun)?;
    for from in from.unwrap_or_default() {
        let source = Source { namespace, noun, from };
        let (value, secret) = match (&from.secret_key_ref, &from.config_map_key_ref) {
            (Some(key), _) => (secret_value(client, source, key).await?, true),
            (None, Some(key)) => (config_value(client, source, key).await?, false),
            (None, None) => (None, false),
        };
        let Some(value) = value else { continue };
        if secret {
            arguments.secrets.push(value.clone());
        }
        arguments.values.insert(from.name.clone(), value);
        // Each may have a megabyte: the sum is bounded on the way.
        check_size(&arguments, noun)?;
    }
    Ok(arguments)
}

/// The user may not set the argument that carries the run's key.
fn check_reserved(arguments: &Arguments, reserved: Option<&str>) -> Result<(), Problem> {
    match reserved.filter(|name| arguments.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Problem::invalid_spec(format!(
            "argument {name} is the one by which kube-glue finds its runs again: create the object without it"
        ))),
    }
}

/// Glue bounds the arguments in all, those from Secrets and ConfigMaps included. `noun` is what one of them is called.
fn check_size(arguments: &Arguments, noun: &str) -> Result<(), Problem> {
    let bytes: usize = arguments.values.iter().map(|(name, value)| name.len() + value.expose().len()).sum();
    if bytes <= MAX_ARGUMENTS_BYTES {
        return Ok(());
    }
    Err(Problem::invalid_spec(format!(
        "every {noun} counted, there are {bytes} bytes, names and values, and Glue takes {MAX_ARGUMENTS_BYTES}: create the object with less, and put \
         large values into S3"
    )))
}

/// The warning about arguments that Glue says it uses itself; `None` when the spec has none. Jobs that read them work.
#[must_use]
pub fn reserved_warning(spec: &GlueJobRunSpec) -> Option<String> {
    let literal = spec.arguments.iter().flatten().map(|(name, _)| name.as_str());
    let from = spec.arguments_from.iter().flatten().map(|from| from.name.as_str());
    let names: Vec<_> = literal.chain(from).filter(|name| RESERVED.contains(name)).collect();
    let names = (!names.is_empty()).then(|| names.join(", "))?;
    Some(format!("Glue says that it uses arguments of these names internally; they are sent as they are: {names}"))
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
mod tests {
    use super::*;

    #[test]
    fn arguments_are_bounded_in_all_and_reserved_names_are_warned_of() {
        let of = |bytes: usize| {
            let value = |bytes| Sensitive::new("x".repeat(bytes));
            let values = BTreeMap::from([("-a".to_owned(), value(bytes - 4)), ("-b".to_owned(), value(0))]);
            check_size(&Arguments { values, secrets: Vec::new() }, "argument")
        };
        assert!(of(MAX_ARGUMENTS_BYTES).is_ok());
        let problem = of(MAX_ARGUMENTS_BYTES + 1).map_err(|problem| problem.message);
        assert!(problem.is_err_and(|message| message.contains("266241 bytes")));

        let named = |name: &str| {
            let arguments = Some(BTreeMap::from([(name.to_owned(), "x".to_owned())]));
            reserved_warning(&GlueJobRunSpec { arguments, ..GlueJobRunSpec::default() })
        };
        assert!(named("--mode").is_some_and(|warning| warning.ends_with(": --mode")));
        assert_eq!(named("--MODE"), None);
    }

    #[test]
    fn refused_arguments_are_named_wherever_their_values_come_from() {
        let values = ["--day", "--extra-jars", "--scriptLocation"];
        let values = values.map(|name| (name.to_owned(), Sensitive::new("x".to_owned()))).into();
        let arguments = Arguments { values, secrets: Vec::new() };
        let refusal = |credentials| arguments.refusal("team-a", &credentials, &Rules::default());
        let problem = refusal(CredentialOrigin::Controller).unwrap();
        assert_eq!(problem.reason, Reason::ArgumentNotAllowed);
        let text = "namespace team-a set --extra-jars, --scriptLocation with the controller's own identity";
        assert!(problem.message.contains(text), "{}", problem.message);
        assert_eq!(refusal(CredentialOrigin::Secret { name: "a/s".to_owned(), temporary: false }), None);
    }

    #[test]
    fn secret_values_are_shown_by_no_debug_output() {
        let secret = Sensitive::new("hunter2".to_owned());
        let values = BTreeMap::from([("--password".to_owned(), secret.clone())]);
        let arguments = Arguments { values, secrets: vec![secret] };
        assert!(!format!("{arguments:?}").contains("hunter2"));
        assert!(check_reserved(&arguments, Some("--password")).is_err());
        assert!(check_reserved(&arguments, Some("--kube-glue-run")).is_ok());
        assert!(check_reserved(&arguments, None).is_ok());
    }
}
