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
    /// The deletion of one object stops the run that another one has, too.
    SharedRunsHaveOneOwner,
    /// A deletion never gives up.
    DeletionsNeverTimeOut,
    /// One poll that failed wakes all objects of the job.
    FailedPollsWakeTheGroup,
}

impl Mutation {
    /// All of them, with the properties of which one must be found broken.
    pub const ALL: [(Self, &'static [Property]); 6] = [
        (Self::LostAnswersSettleAtOnce, &[Property::StartedOnce]),
        (Self::FailedLooksFindNothing, &[Property::StartedOnce]),
        (Self::WritesIgnoreTheVersion, &[Property::StartedOnce]),
        (Self::SharedRunsHaveOneOwner, &[Property::OthersRunsGoOn]),
        (Self::DeletionsNeverTimeOut, &[Property::DeletionsEnd]),
        (Self::FailedPollsWakeTheGroup, &[Property::FewWrites]),
    ];
}
