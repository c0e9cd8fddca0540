//! The definitions as the API server receives them, and the files outside of `src` that list all kinds.

mod chart;
mod formats;
