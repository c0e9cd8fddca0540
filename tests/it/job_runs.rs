//! GlueJobRun: adoption, concurrency limits, deadlines, deletion, failure logs, retries, states, stop and suspend.

mod adoption;
mod concurrency;
mod deadlines;
mod deletion;
mod failure_log;
mod retries;
mod sharing;
mod states;
mod stop_and_suspend;
