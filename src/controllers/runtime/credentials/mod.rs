//! From an object to its AWS client.
//!
//! | module | what it does |
//! |---|---|
//! | [`resolver`] | reads the Secret, resolves the identity, and has one client for each |
//! | `identity_bound` | how many clients the objects of one namespace may have at once |
//! | [`identity_queue`] | which objects wait because of that |
//! | [`secrets`] | the versions of Secrets, kept by a watch on their metadata |
//! | [`dependents`] | which objects depend on which Secret |

pub mod dependents;
mod identity_bound;
pub mod identity_queue;
pub mod resolver;
pub mod secrets;
