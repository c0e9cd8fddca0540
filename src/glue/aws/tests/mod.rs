//! Tests of whole clients against a recording HTTP connector.

mod answers;
mod calls;
mod endpoints;
pub(crate) mod fixture;
pub(crate) mod hostile;
mod identity_secrets;
mod receiver;
mod searches;
