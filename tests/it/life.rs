//! The life of a run: held, followed, stopped, tried again, given up, cleaned away.

mod adoption;
mod deadlines;
mod deletion;
mod retries;
mod states;
mod stopping;
mod waiting;
