//! The kind `GlueConnection`: how a connection is put together, compared, decided about and applied to Glue.
//!
//! | module | what it does |
//! |---|---|
//! | [`inputs`] | the values from Secrets, and how a change of them is detected |
//! | [`secrets`] | the Secrets that a spec names, as they were read |
//! | [`desired`] | the `ConnectionInput` of a spec |
//! | [`properties`] | its properties, from literal values and Secrets |
//! | [`drift`] | which fields in Glue differ from that |
//! | [`requirements`] | what Glue's description of the type asks for, and the spec lacks |
//! | [`unknown_properties`] | properties that Glue does not document |
//! | [`mod@plan`], [`facts`] | decides; pure |
//! | `existing` | the plan for a connection that exists |
//! | `preconditions` | what must come before a change: the end of a backoff, the finalizer, a test |
//! | `test_schedule` | when a connection is tested |
//! | `status` | what this pass did, and the connection as Glue shows it |
//! | [`calls`] | the calls to Glue |

pub mod calls;
pub mod desired;
pub mod drift;
mod existing;
pub mod facts;
pub mod inputs;
pub mod plan;
mod preconditions;
pub mod properties;
pub mod requirements;
pub mod secrets;
mod status;
mod test_schedule;
pub mod unknown_properties;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use self::calls::Call;
use self::facts::{ConnectionFacts, ConnectionPlan};
use self::inputs::ConnectionInputs;
use crate::api::connection::status::TestResult;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::declared::DeclaredStatus;
use crate::api::{GlueConnection, GlueConnectionSpec, GlueConnectionStatus};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::kind::{Release, Target};
use crate::controllers::declared::lifecycle::DeclaredLifecycle;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lifecycle::Earlier;
use crate::controllers::runtime::start_once::{Intent, IntentId};
use crate::failpoints::without;
use crate::glue::connections::Connection;
use crate::glue::connections::description::TypeDescription;
use crate::glue::connections::source::ConnectionSource;
use crate::glue::{Error, Glue};

/// What one pass did.
#[derive(Clone, Debug, Default)]
pub struct PassState {
    /// Whether the spec has changed since the status was written: what was refused then may be accepted now.
    pub edited: bool,
    /// The values that Glue has, as far as this process knows.
    pub digest: Option<AppliedDigest>,
    /// The outcomes of the calls of this pass, in order.
    pub outcomes: Vec<CallOutcome>,
    /// How Glue describes the type of the connection, when this pass has asked.
    pub described: Option<TypeAnswer>,
}

/// The answer to the question how Glue describes a connection type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeAnswer {
    /// Glue's description.
    Description(Arc<TypeDescription>),
    /// Glue did not answer, refused, or knows no such type.
    Unavailable,
}

/// The outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The connection was created.
    Created(Timestamp),
    /// It was not created, because one of that name exists.
    Exists,
    /// It was not created, for another reason.
    Rejected,
    /// It was updated.
    Updated(Timestamp),
    /// Its tags were updated.
    Tagged,
    /// It was deleted.
    Deleted,
    /// It was tested.
    Tested(TestResult),
    /// The test could not be made.
    NotTested,
}

impl PassState {
    /// Whether this pass created the connection.
    #[must_use]
    pub fn has_created(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, CallOutcome::Created(_)))
    }

    /// Whether a call of this pass had this outcome.
    #[must_use]
    pub fn has(&self, outcome: &CallOutcome) -> bool {
        self.outcomes.contains(outcome)
    }
}

/// The values that a fingerprint was made of. They never leave the process, not even as a hash: a weak password could be
/// guessed from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedDigest {
    /// The fingerprint in the status.
    pub fingerprint: String,
    /// A hash of all values, with a key that only this process has.
    pub digest: u64,
}

impl Kind for GlueConnection {
    const KIND: &'static str = "GlueConnection";
    type Lifecycle = DeclaredLifecycle;
    type Source = ConnectionSource;
    type Inputs = ConnectionInputs;
    type PassState = PassState;
    type LocalState = Option<AppliedDigest>;

    fn aws(&self) -> &Aws {
        &self.spec.aws
    }

    fn identity(status: &mut GlueConnectionStatus) -> &mut Option<AwsIdentity> {
        &mut status.declared.identity
    }

    fn words(item: &mut Connection) -> Vec<&mut String> {
        item.status_reason.iter_mut().collect()
    }

    fn strip_to_head(&mut self) {
        let connection_name = self.spec.connection_name.take();
        self.spec = GlueConnectionSpec { connection_name, ..GlueConnectionSpec::default() };
    }
}

impl DeclaredKind for GlueConnection {
    type Call = Call;

    const NOUN: &'static str = "connection";

    fn catalog(&self) -> Option<&str> {
        self.spec.catalog_id.as_deref()
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

    fn declared_mut(status: &mut GlueConnectionStatus) -> &mut DeclaredStatus {
        &mut status.declared
    }

    fn begin_pass(&self, local: &mut Option<AppliedDigest>, _: Earlier<'_>) -> PassState {
        let observed = self.status.as_ref().map(|status| status.declared.observed_generation);
        let edited = observed != self.metadata.generation && !without("generation");
        PassState { edited, digest: local.clone(), ..PassState::default() }
    }

    fn base_status(facts: &ConnectionFacts<'_>) -> GlueConnectionStatus {
        status::base_status(facts)
    }

    fn present(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus, item: &Connection) -> ConnectionPlan {
        existing::plan(facts, status, item)
    }

    fn absent(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus) -> ConnectionPlan {
        plan::absent(facts, status)
    }

    fn unobserved(facts: &ConnectionFacts<'_>, status: GlueConnectionStatus) -> ConnectionPlan {
        plan::unobserved(facts, status)
    }

    fn release(facts: &ConnectionFacts<'_>) -> Release<Self> {
        plan::release(facts)
    }

    fn own_conditions(
        facts: &ConnectionFacts<'_>,
        status: &GlueConnectionStatus,
        before: &[Condition],
    ) -> Vec<Condition> {
        let unknown = status::unknown_properties_condition(facts, before);
        let unmet = status::unmet_requirements_condition(facts, before);
        status::tested_condition(status, before).into_iter().chain(unknown).chain(unmet).collect()
    }

    fn intent(status: &GlueConnectionStatus) -> Option<Intent> {
        let creation = status.creation.as_ref()?;
        Some(Intent { id: IntentId::new(0, &creation.fingerprint, &creation.intended_at), open: true })
    }

    fn is_non_idempotent(call: &Call) -> bool {
        *call == Call::Create
    }

    fn changes_resource(call: &Call) -> bool {
        matches!(call, Call::Create | Call::Update | Call::Delete)
    }

    fn ends_with_deletion(call: &Call) -> bool {
        matches!(call, Call::Test | Call::TestInput | Call::DescribeType)
    }

    async fn call(&self, target: Target<'_, Self>, call: &Call, state: &mut PassState) -> Result<(), Error> {
        calls::call(self, &target, call, state).await
    }

    fn remember(local: &mut Option<AppliedDigest>, state: &PassState) {
        local.clone_from(&state.digest);
    }
}

impl GlueConnection {
    /// The name in Glue: `spec.connectionName`, else the object's name.
    #[must_use]
    pub fn connection_name(&self) -> &str {
        let of_object = || self.metadata.name.as_deref().unwrap_or_default();
        self.spec.connection_name.as_deref().unwrap_or_else(of_object)
    }
}
