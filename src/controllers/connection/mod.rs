//! `GlueConnection` as a declared thing: how it is put together, compared, decided about and brought to Glue.
//!
//! | module | what it does |
//! |---|---|
//! | [`inputs`] | the values from Secrets, and the digest that tells whether they have changed |
//! | [`secrets`] | the Secrets that a spec names, as they were read |
//! | [`desired`] | the `ConnectionInput` that Glue is asked for |
//! | [`drift`] | which fields in Glue differ from that |
//! | [`mod@plan`] | decides; pure |
//! | `existing` | the plan for a connection that exists |
//! | `preconditions` | what must come before a change in Glue: finalizer, lease, backoff, test |
//! | `test_schedule` | when a connection is tested |
//! | `status` | the status builder |
//! | `calls` | the calls to Glue |

mod calls;
pub mod desired;
pub mod drift;
mod existing;
pub mod inputs;
pub mod plan;
mod preconditions;
pub mod secrets;
mod status;
mod test_schedule;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use kube::{Client, ResourceExt};

use self::calls::Call;
use self::inputs::Inputs;
use crate::api::connection::status::TestResult;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::declared::DeclaredStatus;
use crate::api::{GlueConnection, GlueConnectionStatus};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::facts::Facts;
use crate::controllers::declared::lifecycle::DeclaredLifecycle;
use crate::controllers::runtime::Settings;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::step::Plan;
use crate::glue::connections::source::ConnectionSource;
use crate::glue::{Error, Glue};

impl Kind for GlueConnection {
    const KIND: &'static str = "GlueConnection";
    type Source = ConnectionSource;
    type Inputs = Inputs;
    type PassState = PassState;
    type LocalState = Option<AppliedDigest>;
    type Lifecycle = DeclaredLifecycle;

    fn aws(&self) -> &Aws {
        &self.spec.aws
    }

    fn identity(status: &mut GlueConnectionStatus) -> &mut Option<AwsIdentity> {
        &mut status.declared.identity
    }

    fn input_secrets(&self) -> Vec<&str> {
        let keys = self.spec.secret_keys();
        let mut names: Vec<_> = keys.into_iter().map(|(_, key)| key.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    async fn inputs(&self, client: &Client, settings: &Settings) -> Result<Inputs, Problem> {
        let secrets = secrets::read(client, &self.namespace().unwrap_or_default(), &self.input_secrets()).await?;
        let inputs = Inputs::new(self, &secrets)?;
        Ok(if settings.watch_secrets { inputs } else { inputs.unwatched() })
    }
}

/// What one pass learns.
#[derive(Clone, Debug, Default)]
pub struct PassState {
    /// The spec has changed since the last pass: what was refused then may be accepted now.
    pub edited: bool,
    /// What was last brought to Glue, as this process remembers it.
    pub digest: Option<AppliedDigest>,
    /// What came of the calls of this pass, in their order.
    pub outcomes: Vec<CallOutcome>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The connection was created.
    Created(Timestamp),
    /// It was not, since there is one of that name.
    Exists,
    /// It was not, for another reason.
    Refused,
    /// It was updated.
    Updated(Timestamp),
    /// Its tags were brought in line.
    Tagged,
    /// It was deleted.
    Deleted,
    /// It was tested.
    Tested(TestResult),
    /// The test could not be made.
    Untested,
}

impl PassState {
    /// Whether the connection was created by this pass.
    #[must_use]
    pub fn has_created(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, CallOutcome::Created(_)))
    }

    /// Whether this came of a call.
    #[must_use]
    pub fn has(&self, outcome: &CallOutcome) -> bool {
        self.outcomes.contains(outcome)
    }
}

/// The values that a fingerprint stood for. They never leave the process, not even as a hash: a weak password
/// could be guessed from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedDigest {
    /// As it stands in the status.
    pub fingerprint: String,
    /// A hash of all values, keyed by what only this process knows.
    pub digest: u64,
}

impl DeclaredKind for GlueConnection {
    type Call = Call;

    const NEUTRAL: &'static [&'static str] =
        &[status::CREATING, status::UPDATING, status::IN_PROGRESS, status::TESTING];
    const NOUN: &'static str = "connection";

    fn glue_name(&self) -> String {
        // A name may hold anything but line ends.
        format!("{}\n{}", self.spec.catalog_id.as_deref().unwrap_or_default(), self.connection_name())
    }

    fn source(&self, client: &Glue) -> ConnectionSource {
        ConnectionSource { client: client.clone(), catalog: self.spec.catalog_id.clone() }
    }

    fn id(&self) -> &str {
        self.connection_name()
    }

    fn declared(status: &GlueConnectionStatus) -> &DeclaredStatus {
        &status.declared
    }

    fn begin(&self, memory: &mut Option<AppliedDigest>) -> PassState {
        let observed = self.status.as_ref().map(|status| status.declared.observed_generation);
        PassState { edited: observed != self.metadata.generation, digest: memory.clone(), ..PassState::default() }
    }

    fn plan(facts: &Facts<'_, Self>) -> Plan<GlueConnectionStatus, Call> {
        plan::plan(facts)
    }

    fn records_intent(before: Option<&GlueConnectionStatus>, after: &GlueConnectionStatus) -> bool {
        after.creation.is_some() && before.and_then(|before| before.creation.as_ref()) != after.creation.as_ref()
    }

    fn is_non_idempotent(act: &Call) -> bool {
        matches!(act, Call::Create)
    }

    fn changes(act: &Call) -> bool {
        matches!(act, Call::Create | Call::Update | Call::Delete)
    }

    async fn act(
        &self,
        client: &Glue,
        inputs: Option<&Inputs>,
        act: &Call,
        state: &mut PassState,
    ) -> Result<(), Error> {
        calls::act(self, client, inputs, act, state).await
    }

    fn remember(memory: &mut Option<AppliedDigest>, state: &PassState, _: &Call, _: &Result<(), Error>) {
        memory.clone_from(&state.digest);
    }
}

impl GlueConnection {
    /// The name in Glue.
    #[must_use]
    pub fn connection_name(&self) -> &str {
        let of_object = || self.metadata.name.as_deref().unwrap_or_default();
        self.spec.connection_name.as_deref().unwrap_or_else(of_object)
    }
}
