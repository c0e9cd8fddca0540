//! The faults that the checks must find. Each takes one rule away from the product, in the shell around its decisions.

use super::checks::Property;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutation {
    /// A start whose answer was lost counts as without effect at once.
    LostAnswersSettleAtOnce,
    /// A look that failed counts as one that found nothing.
    FailedLooksFindNothing,
    /// A write takes whatever version the object has.
    WritesIgnoreTheVersion,
    /// An object that is blocked by something else stays in the queue, and may head it.
    BlockedObjectsStayInTheQueue,
    /// Each object that AWS refuses tries by itself whether the cause is gone.
    EachObjectTriesByItself,
    /// A restart forgets who waited, and the youngest may go first.
    RestartsForgetTheOrder,
    /// The deletion of one object stops the run that another one has, too.
    SharedRunsHaveOneOwner,
    /// Two objects of one key may start at the same time.
    ObjectsOfOneKeyStartTogether,
    /// What another object has started for a key is unknown until Glue lists it.
    OnlyGlueKnowsTheRunsOfAKey,
    /// An object that is created again adopts the run that its predecessor's deletion stopped.
    StoppedRunsAreAdopted,
    /// Of a lost status, only the first attempt is looked for.
    OnlyTheFirstAttemptIsFound,
    /// The deletion waits for ever for a run that stays in STOPPING.
    StuckStopsNeverTimeOut,
    /// One poll that failed is written into every object of the job, and its end again.
    FailedPollsAreReportedAtOnce,
    /// One call that failed discards all answers of a poll.
    OneErrorBlindsThePoll,
    /// A run that is not on the first page is read by id for ever.
    DeepRunsAreReadOneByOne,
}

impl Mutation {
    /// All of them, with the property that must be found broken.
    pub const ALL: [(Self, Property); 15] = [
        (Self::LostAnswersSettleAtOnce, Property::StartedOnce),
        (Self::FailedLooksFindNothing, Property::StartedOnce),
        (Self::WritesIgnoreTheVersion, Property::StartedOnce),
        (Self::BlockedObjectsStayInTheQueue, Property::WorkGoesOn),
        (Self::EachObjectTriesByItself, Property::FewTries),
        (Self::RestartsForgetTheOrder, Property::OldestFirst),
        (Self::SharedRunsHaveOneOwner, Property::OthersRunsGoOn),
        (Self::ObjectsOfOneKeyStartTogether, Property::StartedOnce),
        (Self::OnlyGlueKnowsTheRunsOfAKey, Property::StartedOnce),
        (Self::StoppedRunsAreAdopted, Property::WorkIsDone),
        (Self::OnlyTheFirstAttemptIsFound, Property::StartedOnce),
        (Self::StuckStopsNeverTimeOut, Property::DeletionsEnd),
        (Self::FailedPollsAreReportedAtOnce, Property::FewWrites),
        (Self::OneErrorBlindsThePoll, Property::EndsAreSeen),
        (Self::DeepRunsAreReadOneByOne, Property::FewPolls),
    ];
}
