//! The life of a run: held, followed, stopped, tried again, given up, cleaned away.

mod deadlines;
mod earlier_lives;
mod farewell;
mod retries;
mod states;
mod stopping;
mod waiting;
