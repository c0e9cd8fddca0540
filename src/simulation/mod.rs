//! A simulation of many objects that share one controller, one Glue and one API server.
//!
//! The decisions and the shared structures are the product's: the plan of a run with its [`Facts`](crate::controllers::run::facts::Facts),
//! the start protocol, the pauses, the queues, the ownership of declared resources, the poller's state, the rate limit.
//! Around them is a thin shell, which gathers the facts as the reconciler does, models of Glue and of the API server,
//! and a virtual clock. What happens is random and follows from a seed: what users do, what Glue refuses, which answers
//! are lost, when the process restarts. While it happens, and after it has stopped, the [`checks`] hold.
//!
//! | module | what it is |
//! |---|---|
//! | [`scenario`] | what happens in a world of this seed |
//! | [`kind`] | what differs between job runs and workflow runs |
//! | [`cluster`], [`glue`] | the API server and Glue |
//! | [`world`] | the events in the order of virtual time |
//! | [`process`] | what the controller keeps while it runs |
//! | [`shell`], [`facts`], [`calls`], [`writes`] | one pass, its facts, its calls and its writes |
//! | [`polls`], [`searches`], [`mailbox`] | the polls and the searches of runs, which are the product's |
//! | [`sharing`] | what objects share |
//! | [`tokens`] | the rate limit |
//! | [`checks`] | what must hold |
//! | [`mutations`] | the faults that the checks must find |
//! | [`story`] | the way to a violation |
//! | [`campaign`] | many seeds, the figures, and the smallest world with the same violation |
//! | [`cli`] | `cargo simulate` |

mod calls;
mod campaign;
mod checks;
pub mod cli;
mod cluster;
mod facts;
mod figures;
mod glue;
mod kind;
mod mailbox;
mod mutations;
mod polls;
mod process;
mod scenario;
mod searches;
mod sharing;
mod shell;
mod story;
#[cfg(test)]
mod tests;
mod time;
mod tokens;
mod world;
mod writes;

/// An object's namespace and name.
pub type Name = (String, String);
