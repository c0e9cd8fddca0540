//! The faults that the checks must find. Each takes one rule away from the product, in the shell around its decisions.

#[cfg(test)]
use super::checks::Property;
#[cfg(test)]
use super::kind::Kind;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutation {
    /// A start whose answer was lost counts as without effect at once.
    LostAnswersSettleAtOnce,
    /// A lookup that failed counts as one that found nothing.
    FailedLookupsFindNothing,
    /// An object whose lookup failed looks again as soon as its status says so.
    FailedLookupsAreRepeatedAtOnce,
    /// An object that is blocked by something else stays in the queue, and may head it.
    BlockedObjectsStayInTheQueue,
    /// Each object that AWS refuses tries by itself whether the cause is gone.
    EachObjectTriesByItself,
    /// A place that comes free is offered to nobody but the client whose run had it.
    ClientsKeepTheirPlaces,
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
    /// A run that is not on the first page is read by id for ever.
    DeepRunsAreReadOneByOne,
    /// A search among the runs of a workflow ends with the first page.
    SearchesReadOnePage,
}

#[cfg(test)]
impl Mutation {
    /// All of them, with the property that must be found broken, the kind, the first seed in which it is, and the number of
    /// objects.
    pub const ALL: [(Self, Property, Kind, u64, usize); 23] = [
        (Self::LostAnswersSettleAtOnce, Property::StartedOnce, Kind::JobRun, 2, 80),
        (Self::FailedLookupsFindNothing, Property::StartedOnce, Kind::JobRun, 8, 80),
        (Self::FailedLookupsAreRepeatedAtOnce, Property::FewTries, Kind::JobRun, 2, 80),
        (Self::BlockedObjectsStayInTheQueue, Property::WorkGoesOn, Kind::JobRun, 28, 80),
        (Self::EachObjectTriesByItself, Property::FewTries, Kind::JobRun, 18, 80),
        (Self::ClientsKeepTheirPlaces, Property::FairShares, Kind::JobRun, 399, 100),
        (Self::RestartsForgetTheOrder, Property::OldestFirst, Kind::JobRun, 29, 80),
        (Self::SharedRunsHaveOneOwner, Property::OthersRunsGoOn, Kind::JobRun, 181, 80),
        (Self::ObjectsOfOneKeyStartTogether, Property::StartedOnce, Kind::JobRun, 81, 80),
        (Self::OnlyGlueKnowsTheRunsOfAKey, Property::StartedOnce, Kind::JobRun, 43, 80),
        (Self::StoppedRunsAreAdopted, Property::WorkIsDone, Kind::JobRun, 4, 80),
        (Self::OnlyTheFirstAttemptIsFound, Property::StartedOnce, Kind::JobRun, 11, 80),
        (Self::StuckStopsNeverTimeOut, Property::DeletionsEnd, Kind::JobRun, 13, 80),
        (Self::FailedPollsAreReportedAtOnce, Property::FewWrites, Kind::JobRun, 7, 80),
        (Self::DeepRunsAreReadOneByOne, Property::FewPolls, Kind::JobRun, 19, 160),
        (Self::LostAnswersSettleAtOnce, Property::StartedOnce, Kind::WorkflowRun, 5, 80),
        (Self::BlockedObjectsStayInTheQueue, Property::WorkGoesOn, Kind::WorkflowRun, 28, 80),
        (Self::SharedRunsHaveOneOwner, Property::OthersRunsGoOn, Kind::WorkflowRun, 181, 80),
        (Self::StoppedRunsAreAdopted, Property::WorkIsDone, Kind::WorkflowRun, 4, 80),
        (Self::OnlyTheFirstAttemptIsFound, Property::StartedOnce, Kind::WorkflowRun, 4, 80),
        (Self::StuckStopsNeverTimeOut, Property::DeletionsEnd, Kind::WorkflowRun, 13, 80),
        (Self::FailedPollsAreReportedAtOnce, Property::FewWrites, Kind::WorkflowRun, 7, 80),
        (Self::SearchesReadOnePage, Property::StartedOnce, Kind::WorkflowRun, 8, 80),
    ];
}
