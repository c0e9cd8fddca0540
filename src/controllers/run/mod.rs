//! The lifecycle of a run: started once, followed to its end, retried, stopped.
//!
//! | module | what it does |
//! |---|---|
//! | [`lifecycle`] | gathers the facts and makes the calls |
//! | [`facts`] | what the plan rests on |
//! | [`plan`] | decides; pure |
//! | [`calls`] | the calls that it can ask for |
//! | `start` | the start of an attempt, and what an open intent leads to |
//! | [`concurrency`] | whether an object may start a crawl now |
//! | `reads` | what is read of Glue: the run of an attempt, and what exists before a start |
//! | [`resume`] | an ended run that is continued |
//! | [`waiting`] | an object that waits until a start may succeed |
//! | [`sharing`] | the runs that several objects need |
//! | [`named_values`] | the values that a run is given by name, with those from Secrets and ConfigMaps |
//! | [`given`] | the values from Secrets that a run was given |
//! | `follow` | a run whose id is known |
//! | `cleanup` | a finished object, and one that is being deleted |
//! | [`attempts`] | which attempt is next, and the deadlines |
//! | `status`, [`conditions`] | the status builder, and the conditions of each phase |
//! | [`events`] | the Event of each transition |
//! | `lineage` | the runs that an object shows, for lineage |
//! | [`local_state`] | what the process keeps about a run |
//! | [`links`] | pages of the AWS console |
//! | [`kind`] | what a kind supplies |

pub mod attempts;
pub mod calls;
mod cleanup;
pub mod concurrency;
pub mod conditions;
pub mod events;
pub mod facts;
mod follow;
pub mod given;
pub mod kind;
pub mod lifecycle;
mod lineage;
pub mod links;
pub mod local_state;
pub mod named_values;
pub mod plan;
mod reads;
pub mod resume;
pub mod sharing;
mod start;
mod status;
pub mod waiting;

pub use kind::RunKind;

#[cfg(test)]
pub(crate) mod tests;
