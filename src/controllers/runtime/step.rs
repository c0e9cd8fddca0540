//! What a plan asks for: the status that must be in the object, and the one step that may follow.

use std::time::Duration;

/// The result of a pure plan. The reconciler writes the status first when it differs, and takes the step only when
/// it does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<S, C> {
    /// The status that must be in the object.
    pub status: S,
    /// The step that may be taken once it is.
    pub step: Step<C>,
}

/// One step; `C` is the kind's own calls to Glue. After each step but the last three the reconciler plans again with
/// what it has observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<C> {
    /// Add our finalizer to the object.
    AddFinalizer,
    /// Remove our finalizer from the object.
    RemoveFinalizer {
        /// What goes on in Glue because it could not be stopped or deleted, by its name there.
        left_behind: Option<String>,
    },
    /// Set this annotation to `true`. It outlives a status that is lost.
    Annotate(&'static str),
    /// Make this call to AWS.
    Call(C),
    /// Delete the object: `ttlSecondsAfterFinished` have passed.
    Delete,
    /// Requeue the object after a pause that grows each time.
    Backoff,
    /// Wait until the object, its Secrets or Glue change.
    AwaitChange,
    /// The same, and requeue the object after this time at the latest.
    RequeueAfter(Duration),
}

impl<C> Step<C> {
    /// Waits for a change, or for this time at the most.
    #[must_use]
    pub fn requeue(after: Option<Duration>) -> Self {
        after.map_or(Self::AwaitChange, Self::RequeueAfter)
    }

    /// The same step; one that waits, waits for this time at the most. [`Step::Backoff`] is short where it matters.
    #[must_use]
    pub fn within(self, most: Duration) -> Self {
        match self {
            Self::AwaitChange => Self::RequeueAfter(most),
            Self::RequeueAfter(after) => Self::RequeueAfter(after.min(most)),
            step => step,
        }
    }
}
