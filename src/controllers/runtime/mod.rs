//! What every kind's controller shares: the watch, the reconcile loop, and what several objects share.
//!
//! | module | what it does |
//! |---|---|
//! | [`mod@kind`] | the trait of a kind |
//! | [`lifecycle`] | the trait of a lifecycle: the part of the reconcile that kinds of one sort share |
//! | [`watch`] | from the API server's watches to the reconcile loop |
//! | [`mod@workqueue`] | which object is reconciled next |
//! | [`reconcile_loop`] | runs the passes, as the workqueue orders them |
//! | [`reconciler`] | one pass over one object: observe, plan, write the status, take one step, plan again |
//! | [`pass`] | the state of one pass |
//! | [`step`] | what a plan asks for |
//! | [`wording`] | when a status is written that differs by its words only |
//! | [`panics`] | a panic fails the object that it is about, and nothing else |
//! | [`patch`] | the writes to an object, each on the resource version that it was decided on |
//! | [`context`] | what the objects of one kind share |
//! | [`local_state`] | what the process keeps about one object; all of it may be lost |
//! | [`backoff`] | the pause before something that failed is tried again |
//! | [`start_once`] | the start protocol, pure |
//! | [`facts`] | what every plan rests on |
//! | [`mod@queue`] | which objects wait until a start that AWS refused may succeed, and whose turn it is |
//! | [`exclusive`] | who changes what only one object may change at a time |
//! | [`seen_secrets`] | the values from Secrets that an object had while this process knew it |
//! | [`shared_runs`] | which objects need the same run |
//! | [`ownership`] | which of several objects manages a Glue resource |
//! | [`requeue`] | sends an object to its reconcile loop |
//! | [`cache_size`] | what the cache keeps of an object |
//! | [`existing_objects`] | which objects a watch shows, finished ones included |
//! | [`cache_sync`] | which watches have listed, for the readiness probe |
//! | [`credentials`] | from an object to its AWS client, by way of its Secret |
//! | [`reason`] | the reasons of conditions and Events |
//! | `remedy` | what the user can do about an error |
//! | [`problem`] | why the controller cannot take a step |
//! | [`mod@conditions`] | conditions as Kubernetes keeps them |
//! | [`error_chain`] | an error and its causes in one line |
//! | [`text`] | messages cut to a length, and durations |
//! | [`events`] | Kubernetes Events, filed in the background |
//! | [`lineage`] | the events of runs, sent to an OpenLineage receiver in the background |
//! | [`failure_log`] | the end of the log of a failed run, read in the background |
//! | [`leadership`] | whether this replica may start anything |
//! | [`settings`] | what the operator configured |
//! | [`time`] | timestamps as statuses hold them |

pub mod backoff;
pub mod cache_size;
pub mod cache_sync;
pub mod conditions;
pub mod context;
pub mod credentials;
pub mod error_chain;
pub mod events;
pub mod exclusive;
pub mod existing_objects;
pub mod facts;
pub mod failure_log;
pub mod kind;
pub mod leadership;
pub mod lifecycle;
pub mod lineage;
pub mod local_state;
pub mod ownership;
pub mod panics;
pub mod pass;
pub mod patch;
pub mod problem;
pub mod queue;
pub mod reason;
pub mod reconcile_loop;
pub mod reconciler;
pub(crate) mod remedy;
pub mod requeue;
pub mod seen_secrets;
pub mod settings;
pub mod shared_runs;
pub mod start_once;
pub mod step;
#[cfg(test)]
pub mod tests;
pub mod text;
pub mod time;
pub mod watch;
pub mod wording;
pub mod workqueue;

pub use leadership::{Leadership, LeadershipKeeper};
pub use settings::{OpenLineage, Settings};

/// The remedy when Secrets may not be watched.
pub(crate) const WATCH_SECRETS: &str =
    "allow list and watch on secrets, as the chart does by rbac.create, or run with --watch-secrets=false";
/// The remedy when the objects of a kind may not be watched.
pub(crate) const WATCH_KIND: &str = "allow list and watch on it, as the chart does by rbac.create";
