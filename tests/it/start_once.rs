//! An object starts one job run, whatever happens to StartJobRun, its response, or the controller.

mod crashes;
mod replicas;
mod start_responses;
