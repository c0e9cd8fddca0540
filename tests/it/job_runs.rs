//! GlueJobRun: adoption, concurrency limits, deadlines, deletion, retries, states, stop and suspend.

mod adoption;
mod concurrency;
mod deadlines;
mod deletion;
mod retries;
mod sharing;
mod states;
mod stop_and_suspend;
