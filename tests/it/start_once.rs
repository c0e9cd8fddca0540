//! Whatever happens to StartJobRun, its answer, or the controller: there is one run.

mod answers;
mod crashes;
mod replicas;
