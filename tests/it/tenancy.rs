//! Which AWS identities a tenant may use, what is rejected without a call, and how the controller gets its own
//! identity.

mod access_matrix;
mod assumed_roles;
mod controller_identity;
mod endpoints;
mod refused_arguments;
mod shared_clients;
mod shared_connections;
mod shared_identity;

use std::path::PathBuf;

use kube_glue_double::{DEFAULT_ACCOUNT, JobDefinition, Role};

use crate::harness::{REGION, TestEnv, quick};

/// An account other than the double's default one.
const OTHER_ACCOUNT: &str = "222222222222";
/// A role in it.
const ROLE: &str = "arn:aws:iam::222222222222:role/etl";

/// An environment without credentials and controller, with the job `other-account` in the other account and [`ROLE`].
async fn two_accounts(name: &str, role: impl FnOnce(Role) -> Role) -> TestEnv {
    let env = TestEnv::without_controller(name).await;
    env.double.define_role(role(Role::new(ROLE).trusts(DEFAULT_ACCOUNT)));
    env.double.define_job(
        OTHER_ACCOUNT,
        REGION,
        JobDefinition::new("other-account").max_concurrent_runs(99).script(quick()),
    );
    env
}

/// Writes a file for the controller to read, and returns its path.
pub fn write_file(env: &TestEnv, name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", env.namespace));
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}
