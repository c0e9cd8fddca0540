//! `GlueConnection` as a declared thing: how it is put together, compared, decided about and brought to Glue.
//!
//! | room | what is in it |
//! |---|---|
//! | [`inputs`] | the values from Secrets, and what tells that they have changed |
//! | [`secrets`] | the Secrets that a spec names, as they were read |
//! | [`desired`] | from a spec and those values to what Glue is asked for |
//! | [`drift`] | how what Glue shows differs from that |
//! | [`mod@plan`] | what must stand in the object, and the next step |
//! | `presence` | the plan for a connection that is there |
//! | `tests_due` | when a connection is tested |
//! | `drafts` | the statuses that a plan can end with |
//! | `actions` | the calls |

mod actions;
mod before;
pub mod desired;
mod drafts;
pub mod drift;
pub mod inputs;
pub mod plan;
mod presence;
pub mod secrets;
mod tests_due;

#[cfg(test)]
mod bench_tests;
#[cfg(test)]
mod due_tests;
#[cfg(test)]
mod ownership_tests;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod spec_tests;

use jiff::Timestamp;
use kube::{Client, ResourceExt};

use self::actions::Act;
use self::inputs::Inputs;
use super::Settings;
use super::declared::DeclaredKind;
use super::declared::facts::Facts;
use super::declared::life::DeclaredLife;
use super::kind::Kind;
use super::life::Living;
use super::problem::Problem;
use super::step::Plan;
use crate::api::connection::status::TestResult;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::declared::DeclaredStatus;
use crate::api::{GlueConnection, GlueConnectionStatus};
use crate::glue::connection_source::ConnectionSource;
use crate::glue::{Error, Glue};

impl Kind for GlueConnection {
    const KIND: &'static str = "GlueConnection";
    type Source = ConnectionSource;
    type Inputs = Inputs;
    type Learnt = Learnt;
    type Memory = Option<Noted>;

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

impl Living for GlueConnection {
    type Life = DeclaredLife;
}

/// What one pass learns.
#[derive(Clone, Debug, Default)]
pub struct Learnt {
    /// The spec has changed since the last pass: what was refused then may be accepted now.
    pub edited: bool,
    /// What was last brought to Glue, as this process remembers it.
    pub noted: Option<Noted>,
    /// What came of the calls of this pass, in their order.
    pub came: Vec<Came>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
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

impl Learnt {
    /// Whether the connection was created by this pass.
    #[must_use]
    pub fn has_created(&self) -> bool {
        self.came.iter().any(|came| matches!(came, Came::Created(_)))
    }

    /// Whether this came of a call.
    #[must_use]
    pub fn has(&self, came: &Came) -> bool {
        self.came.contains(came)
    }
}

/// The values that a fingerprint stood for. They never leave the process, not even as a hash: a weak password
/// could be guessed from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// As it stands in the status.
    pub fingerprint: String,
    /// A hash of all values, keyed by what only this process knows.
    pub digest: u64,
}

impl DeclaredKind for GlueConnection {
    type Act = Act;

    const NEUTRAL: &'static [&'static str] =
        &[drafts::CREATING, drafts::UPDATING, drafts::IN_PROGRESS, drafts::TESTING];
    const THING: &'static str = "connection";

    fn thing(&self) -> String {
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

    fn begin(&self, memory: &mut Option<Noted>) -> Learnt {
        let observed = self.status.as_ref().map(|status| status.declared.observed_generation);
        Learnt { edited: observed != self.metadata.generation, noted: memory.clone(), ..Learnt::default() }
    }

    fn plan(facts: &Facts<'_, Self>) -> Plan<GlueConnectionStatus, Act> {
        plan::plan(facts)
    }

    fn intends(before: Option<&GlueConnectionStatus>, after: &GlueConnectionStatus) -> bool {
        after.creation.is_some() && before.and_then(|before| before.creation.as_ref()) != after.creation.as_ref()
    }

    fn is_once(act: &Act) -> bool {
        matches!(act, Act::Create)
    }

    fn changes(act: &Act) -> bool {
        matches!(act, Act::Create | Act::Update | Act::Remove)
    }

    async fn act(&self, client: &Glue, inputs: Option<&Inputs>, act: &Act, learnt: &mut Learnt) -> Result<(), Error> {
        actions::act(self, client, inputs, act, learnt).await
    }

    fn remember(memory: &mut Option<Noted>, learnt: &Learnt, _: &Act, _: &Result<(), Error>) {
        memory.clone_from(&learnt.noted);
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
