//! The arguments of a job run: those of the spec, and those whose values come from Secrets and ConfigMaps.

use std::collections::BTreeMap;

use kube::{Client, ResourceExt};

use crate::api::job_run::RESERVED;
use crate::api::{GlueJobRun, GlueJobRunSpec};
use crate::controllers::run::named_values::{NamedValues, secrets_of};
use crate::controllers::runtime::Settings;
use crate::controllers::runtime::kind::Inputs;
use crate::controllers::runtime::lineage::origin::Origin;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::remedy;
use crate::glue::Glue;
use crate::glue::identity::{CredentialOrigin, Rules, Sensitive};
use crate::lineage::spark_parent::{self, CONF};

/// The arguments of a job run.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    named: NamedValues,
    /// The value of `--conf` that names the parent of the run for the listener of OpenLineage in Spark.
    conf: Option<String>,
}

impl Arguments {
    /// The arguments as `StartJobRun` takes them.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, Sensitive> {
        let mut values = self.named.all().clone();
        values.extend(self.conf.clone().map(|conf| (CONF.to_owned(), Sensitive::new(conf))));
        values
    }
}

/// The value of `--conf` that names the run of the orchestrator which the object belongs to, where the operator asks for
/// that. `None` where there is nothing to say, where a Secret has the value, where the arguments would be too large, or
/// where Glue does not show what the job has there: a run's argument replaces it.
async fn conf_with_parent(
    object: &GlueJobRun,
    named: &NamedValues,
    glue: Option<&Glue>,
    settings: &Settings,
) -> Option<String> {
    // Where runs carry no key, they are found by their arguments.
    if !settings.spark_parent || settings.run_key_argument.is_none() || !may_start(object) {
        return None;
    }
    let parent = Origin::of(object).outer?;
    if object.spec.arguments_from.iter().flatten().any(|from| from.name == CONF) {
        return None;
    }
    let defaults = glue?.spark_defaults(&object.spec.job_name).await.filter(|defaults| defaults.is_spark)?;
    let own = named.all().get(CONF).map(Sensitive::expose);
    let conf = spark_parent::conf(&parent, own.or(defaults.conf.as_deref()))?;
    named.has_room_for(conf.len()).then_some(conf)
}

/// Whether an attempt may be started now.
fn may_start(object: &GlueJobRun) -> bool {
    let newest = object.status.as_ref().and_then(|status| status.run.attempts.last());
    object.spec.run_id.is_none() && newest.is_none_or(|attempt| attempt.id.is_none() || attempt.ended_at.is_some())
}

impl Inputs<GlueJobRun> for Arguments {
    fn secrets(object: &GlueJobRun) -> Vec<&str> {
        secrets_of(object.spec.arguments_from.as_deref())
    }

    async fn read(
        object: &GlueJobRun,
        client: &Client,
        glue: Option<&Glue>,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let reserved = settings.run_key_argument.as_deref();
        let (literal, from) = (object.spec.arguments.as_ref(), object.spec.arguments_from.as_deref());
        let namespace = object.namespace().unwrap_or_default();
        let arguments = NamedValues::read(client, &namespace, "argument", literal, from).await?;
        check_reserved(&arguments, reserved)?;
        if reserved.is_none() && object.spec.policy.idempotency_key.is_some() {
            return Err(Problem::invalid_spec(
                "idempotencyKey needs the argument by which runs are found again, and this controller sends none \
                 (--run-key-argument): create the object without it",
            ));
        }
        let conf = conf_with_parent(object, &arguments, glue, settings).await;
        Ok(Self { named: arguments, conf })
    }

    fn sensitive(&self) -> &[Sensitive] {
        self.named.sensitive()
    }

    fn refusal(&self, namespace: &str, credentials: &CredentialOrigin, rules: &Rules) -> Option<Problem> {
        let is_refused = |name: &&String| rules.refuses_argument(namespace, credentials, name);
        let names: Vec<_> = self.named.all().keys().filter(is_refused).map(String::as_str).collect();
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

/// The user may not set the argument that carries the run's key.
fn check_reserved(arguments: &NamedValues, reserved: Option<&str>) -> Result<(), Problem> {
    match reserved.filter(|name| arguments.contains(name)) {
        None => Ok(()),
        Some(name) => Err(Problem::invalid_spec(format!(
            "argument {name} is the one by which kube-glue finds its runs again: create the object without it"
        ))),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_are_warned_of_and_that_of_the_key_is_refused() {
        let named = |name: &str| {
            let arguments = Some(BTreeMap::from([(name.to_owned(), "x".to_owned())]));
            reserved_warning(&GlueJobRunSpec { arguments, ..GlueJobRunSpec::default() })
        };
        assert!(named("--mode").is_some_and(|warning| warning.ends_with(": --mode")));
        assert_eq!(named("--MODE"), None);
        let arguments = NamedValues::fixture([("--password", "x")], &[]);
        assert!(check_reserved(&arguments, Some("--password")).is_err());
        assert!(check_reserved(&arguments, Some("--kube-glue-run")).is_ok());
        assert!(check_reserved(&arguments, None).is_ok());
    }

    #[test]
    fn refused_arguments_are_named_wherever_their_values_come_from() {
        let names = [("--day", "x"), ("--extra-jars", "x"), ("--scriptLocation", "x")];
        let arguments = Arguments { named: NamedValues::fixture(names, &["--scriptLocation"]), conf: None };
        let refusal = |credentials| arguments.refusal("team-a", &credentials, &Rules::default());
        let problem = refusal(CredentialOrigin::Controller).unwrap();
        assert_eq!(problem.reason, Reason::ArgumentNotAllowed);
        let text = "namespace team-a set --extra-jars, --scriptLocation with the controller's own identity";
        assert!(problem.message.contains(text), "{}", problem.message);
        assert_eq!(refusal(CredentialOrigin::Secret { name: "a/s".to_owned(), temporary: false }), None);
    }
}
