//! Tests of whole clients against a recording HTTP connector.

mod answers;
mod endpoints;
mod fixture;
mod hostile;
mod identity_secrets;
mod searches;
