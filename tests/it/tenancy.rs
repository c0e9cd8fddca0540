//! Who may be whom: what a tenant may use, what is refused to them without a call, and how the controller
//! comes by an identity of its own.

mod clients;
mod controller;
mod refused;
mod roles;
mod table;

use kube_glue_double::{DEFAULT_ACCOUNT, JobDefinition, Role};

pub use controller::file;

use crate::harness::{REGION, World, quick};

/// The account of somebody else.
const OTHERS: &str = "222222222222";
/// A role in it.
const ROLE: &str = "arn:aws:iam::222222222222:role/etl";

/// A world whose Glue has the job `theirs` in the other account, and the role that leads there.
async fn two_accounts(name: &str, role: impl FnOnce(Role) -> Role) -> World {
    let world = World::without_controller(name).await;
    world.double.define_role(role(Role::new(ROLE).trusts(DEFAULT_ACCOUNT)));
    world.double.define_job(OTHERS, REGION, JobDefinition::new("theirs").max_concurrent_runs(99).script(quick()));
    world
}
