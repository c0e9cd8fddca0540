//! The properties of a workflow run: those of the spec, and those whose values come from Secrets and ConfigMaps.

use std::collections::BTreeMap;

use kube::{Client, ResourceExt};

use crate::api::GlueWorkflowRun;
use crate::api::workflow_run::GlueWorkflowRunSpec;
use crate::controllers::run::given::Given;
use crate::controllers::run::named_values::{NamedValues, secrets_of};
use crate::controllers::runtime::Settings;
use crate::controllers::runtime::kind::Inputs;
use crate::controllers::runtime::problem::Problem;
use crate::glue::Glue;
use crate::glue::workflow_runs::WorkflowRun;
use crate::redaction::{Sensitive, Withheld};

/// The properties of a workflow run.
#[derive(Clone, Debug, Default)]
pub struct RunProperties(NamedValues);

impl RunProperties {
    /// The properties as `StartWorkflowRun` takes them.
    #[must_use]
    pub fn exposed(&self) -> BTreeMap<String, String> {
        self.0.all().iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
    }
}

impl Inputs<GlueWorkflowRun> for RunProperties {
    fn secrets(object: &GlueWorkflowRun) -> Vec<&str> {
        secrets_of(object.spec.run_properties_from.as_deref())
    }

    async fn read(
        object: &GlueWorkflowRun,
        client: &Client,
        _: Option<&Glue>,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let GlueWorkflowRunSpec { run_properties, run_properties_from, .. } = &object.spec;
        let namespace = object.namespace().unwrap_or_default();
        let (literal, from) = (run_properties.as_ref(), run_properties_from.as_deref());
        let properties = NamedValues::read(client, &namespace, "run property", literal, from).await?;
        let key = crate::glue::aws::key_property(settings.run_key_argument.as_deref());
        if properties.contains(key) {
            return Err(Problem::invalid_spec(format!(
                "run property {key} is the one by which kube-glue finds its runs again: create the object without it"
            )));
        }
        Ok(Self(properties))
    }

    fn sensitive(&self) -> &[Sensitive] {
        self.0.sensitive()
    }
}

/// The values that Glue's words about `run` may quote, as Glue shows its properties; why they are not known.
pub(super) fn given(object: &GlueWorkflowRun, run: &WorkflowRun) -> Result<Vec<Sensitive>, Withheld> {
    let spec = &object.spec;
    let given = Given {
        namespace: object.metadata.namespace.as_deref(),
        literal: spec.run_properties.as_ref(),
        from: spec.run_properties_from.as_deref().unwrap_or_default(),
        may_be_of_another: spec.run_id.is_some() || spec.policy.idempotency_key.is_some(),
    };
    let shown = run.properties.iter().map(|(name, value)| (name.clone(), Sensitive::new(value.clone()))).collect();
    given.values(run.started_for.as_deref(), Some(&shown))
}
