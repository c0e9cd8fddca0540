//! From an object to its AWS client.
//!
//! | module | what it does |
//! |---|---|
//! | [`resolver`] | reads the Secret, resolves the identity, and has one client for each |
//! | [`secrets`] | the versions of Secrets, kept by a watch on their metadata |
//! | [`dependents`] | which objects depend on which Secret |

pub mod dependents;
pub mod resolver;
pub mod secrets;
