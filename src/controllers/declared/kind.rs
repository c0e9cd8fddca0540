//! What a kind must say about itself to be kept in line. All else is shared.

use std::fmt::Debug;
use std::future::Future;

use super::facts::Facts;
use crate::api::declared::DeclaredStatus;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::step::Plan;
use crate::glue::{Error, Glue};

/// A kind of which each object declares one thing in Glue.
pub trait DeclaredKind: Kind<PassState: Default> {
    /// What is done in Glue.
    type Call: Clone + Debug + Send + Sync;

    /// The reasons that are no bad news though the thing is not in line yet.
    const NEUTRAL: &'static [&'static str];
    /// The reasons that are bad news though the thing is in line.
    const BAD: &'static [&'static str] = &[];
    /// What the thing is called in a sentence, such as `trigger`.
    const NOUN: &'static str;

    /// What names the thing in one account and region: two objects of the same name there are about one thing.
    fn glue_name(&self) -> String;
    /// Where the thing is seen.
    fn source(&self, client: &Glue) -> Self::Source;
    /// Its id there.
    fn id(&self) -> &str;
    /// What else it waits for in Glue, each with its id there.
    fn related(&self, _client: &Glue) -> Vec<(Self::Source, String)> {
        Vec::new()
    }
    /// The part of the status that all declared kinds share.
    fn declared(status: &Self::Status) -> &DeclaredStatus;

    /// The watch shows the object, new or changed; or `listed`, among those that are there.
    fn on_applied(&self, _memory: &mut Self::LocalState, _listed: bool) {}
    /// What Glue takes one change of at a time, for this act.
    fn takes_turns(&self, _act: &Self::Call) -> Option<String> {
        None
    }
    /// Whether a change of its own is under way, so that it keeps its turn.
    fn keeps_turn(&self) -> bool {
        false
    }
    /// What a pass knows when it begins.
    fn begin(&self, memory: &mut Self::LocalState) -> Self::PassState;
    /// Decides. Pure: what it needs stands in `facts`.
    fn plan(facts: &Facts<'_, Self>) -> Plan<Self::Status, Self::Call>;
    /// Whether writing `after` over `before` records the intent to send what must not be sent twice.
    fn records_intent(before: Option<&Self::Status>, after: &Self::Status) -> bool;
    /// Whether `act` must not be sent twice, and so only right after its intent was written.
    fn is_non_idempotent(act: &Self::Call) -> bool;
    /// Whether `act` changes the thing, so that what was seen of it before says nothing any more.
    fn changes(act: &Self::Call) -> bool;
    /// Acts, in one call where it is one that must not be sent twice.
    fn act(
        &self,
        client: &Glue,
        inputs: Option<&Self::Inputs>,
        act: &Self::Call,
        state: &mut Self::PassState,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Takes note of what came of `act`, for passes to come.
    fn remember(memory: &mut Self::LocalState, state: &Self::PassState, act: &Self::Call, answer: &Result<(), Error>);
}
