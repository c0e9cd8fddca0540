//! Former names of the harness. The docs tests use them.

use kube::api::Api;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::Requests;

use super::TestEnv;

// used by the docs tests
pub use super::TestEnv as World;
// used by the docs tests
pub use super::assert_no_secret_leaked as assert_nothing_leaked;

// used by the docs tests
impl TestEnv {
    pub fn runs(&self) -> Api<GlueJobRun> {
        self.job_runs()
    }

    pub fn set(&mut self, flags: &[(&str, &str)]) {
        self.set_flags(flags);
    }

    pub async fn known(&self, name: &str) -> GlueJobRun {
        self.wait_for_run_id(name).await
    }

    pub async fn over(&self, name: &str, phase: Phase) -> GlueJobRun {
        self.wait_finished(name, phase).await
    }

    pub async fn requests(&self, what: &str, condition: impl FnMut(&Requests) -> bool) {
        self.wait_for_requests(what, condition).await;
    }
}
