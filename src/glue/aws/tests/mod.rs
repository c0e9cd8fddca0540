//! Tests of whole clients against a recording HTTP connector.

mod answers;
mod endpoints;
mod hostile;
