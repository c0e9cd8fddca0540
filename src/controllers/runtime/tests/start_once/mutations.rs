//! The rules of the start protocol, each broken once: the model must find every one of them.

use std::fmt;

use super::connection::Connection;
use super::crawl::Crawl;
use super::firing::Firing;
use super::job_run::JobRun;
use super::workflow_run::ResumedRun;
use super::{Exploration, Subject};

/// A rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A pass sends a start whose intent another pass wrote.
    AnyPassMaySend,
    /// A start is sent without its intent in the object.
    IntentIsNotWritten,
    /// A patch succeeds although the object has changed.
    PatchesCarryNoVersion,
    /// The SDK sends a start again when the answer is lost.
    SdkRetries,
    /// A start is sent after the settle time has passed.
    LateStartsAreSent,
    /// A lost answer counts as a definite failure.
    LostAnswersCountAsFailures,
    /// A lookup that failed counts as one that found nothing.
    FailedLookupsCountAsNotFound,
    /// A lookup from before the settle time settles the intent.
    EarlyLookupsSettle,
    /// The outcome of one intent is taken for that of the next.
    OutcomeOfAnotherIntentIsKept,
    /// The intent records no baseline.
    NoBaselineIsRecorded,
    /// A lost status leads to no lookup.
    LostStatusIsNotLookedUp,
    /// After the loss of a status, one lookup is enough.
    LostStatusSettlesAtOnce,
    /// Two controllers undo each other's writes once the object is at its end.
    ControllersUndoEachOther,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Explores `exploration` with each of `mutations`, and collects those that it does not find.
fn missed<S: Subject>(exploration: &Exploration<S>, mutations: &[Mutation]) -> Vec<String> {
    let found =
        |mutation: &Mutation| Exploration { mutation: Some(*mutation), ..exploration.clone() }.finds_a_violation();
    let missed = mutations.iter().filter(|mutation| !found(mutation));
    missed.map(|mutation| format!("{mutation} in {:?}", exploration.subject)).collect()
}

#[test]
fn every_broken_rule_is_found() {
    use Mutation::{
        AnyPassMaySend, EarlyLookupsSettle, FailedLookupsCountAsNotFound, IntentIsNotWritten, LateStartsAreSent,
        LostAnswersCountAsFailures, LostStatusIsNotLookedUp, LostStatusSettlesAtOnce, NoBaselineIsRecorded,
        OutcomeOfAnotherIntentIsKept, PatchesCarryNoVersion, SdkRetries,
    };
    let shared = [
        AnyPassMaySend,
        IntentIsNotWritten,
        SdkRetries,
        LostAnswersCountAsFailures,
        FailedLookupsCountAsNotFound,
        EarlyLookupsSettle,
    ];
    let mut missing = Vec::new();
    missing.extend(missed(&Exploration::new(JobRun, 1, 2), &shared));
    missing.extend(missed(&Exploration::new(JobRun, 1, 1), &[LostStatusIsNotLookedUp]));
    missing.extend(missed(&Exploration::new(JobRun, 1, 2), &[LostStatusSettlesAtOnce]));
    missing.extend(missed(&Exploration::new(JobRun, 2, 1), &[PatchesCarryNoVersion, LateStartsAreSent]));
    missing.extend(missed(&Exploration::new(ResumedRun, 1, 2), &shared));
    missing.extend(missed(&Exploration::new(ResumedRun, 2, 1), &[PatchesCarryNoVersion, LateStartsAreSent]));
    let crawl = |coalesce| Exploration { others: 1, ..Exploration::new(Crawl { coalesce }, 1, 2) };
    missing.extend(missed(&crawl(true), &[AnyPassMaySend, LostAnswersCountAsFailures, EarlyLookupsSettle]));
    let busy = Exploration { busy: true, ..crawl(true) };
    missing.extend(missed(&busy, &[NoBaselineIsRecorded]));
    missing.extend(missed(&Exploration::new(Firing { replaceable: false }, 1, 2), &shared));
    let replaced = Exploration::new(Firing { replaceable: true }, 1, 2);
    missing.extend(missed(&replaced, &[NoBaselineIsRecorded, OutcomeOfAnotherIntentIsKept]));
    missing.extend(missed(&Exploration::new(Firing { replaceable: false }, 2, 1), &[PatchesCarryNoVersion]));
    missing
        .extend(missed(&Exploration::new(Connection::new(), 1, 2), &[IntentIsNotWritten, LostAnswersCountAsFailures]));
    assert!(missing.is_empty(), "not found: {missing:#?}");
}
