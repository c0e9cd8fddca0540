//! The kind `GlueInventory`: what an account has, read again and again.
//!
//! An inventory neither comes to an end nor declares a resource, and it changes nothing in Glue: no finalizer, no intent,
//! no owner, no call of its own. So it has a small lifecycle of its own.
//!
//! | module | what it does |
//! |---|---|
//! | `lifecycle` | gathers the facts, and files the Events |
//! | [`plan`] | the status that the object must have; pure |
//! | [`items`] | the items of a picture as the status has them; pure |
//! | [`listing`] | which items are listed, in which order, and how many bytes they take; pure |
//! | [`changes`] | which items began to fail, and which healed; pure |
//! | [`receiver`] | where lineage is sent |
//! | [`sights`] | the runs of a picture, for lineage; pure |
//! | [`lineage`] | reports these runs, and says until when the receiver has them |

pub mod changes;
pub mod items;
mod lifecycle;
pub mod lineage;
pub mod listing;
pub mod plan;
pub mod receiver;
pub mod sights;
#[cfg(test)]
mod tests;

use kube::ResourceExt;

use self::lifecycle::InventoryLifecycle;
use self::lineage::SentLineage;
use self::receiver::InventoryInputs;
use crate::api::GlueInventory;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::inventory::{GlueInventorySpec, GlueInventoryStatus};
use crate::controllers::runtime::kind::Kind;
use crate::glue::inventory::demand::Demand;
use crate::glue::inventory::source::InventorySource;

/// The annotation of which each new value has the account read at once.
pub const REFRESH: &str = "kube-glue.dev/refresh";

/// What the process keeps about an inventory.
#[derive(Default)]
pub struct InventoryLocalState {
    /// Whether the metrics show its items.
    is_measured: bool,
    /// What was sent of lineage.
    lineage: Option<SentLineage>,
}

impl Kind for GlueInventory {
    const KIND: &'static str = "GlueInventory";
    type Lifecycle = InventoryLifecycle;
    type Source = InventorySource;
    type Inputs = InventoryInputs;
    type PassState = ();
    type LocalState = InventoryLocalState;

    fn aws(&self) -> &Aws {
        &self.spec.aws
    }

    fn identity(status: &mut GlueInventoryStatus) -> &mut Option<AwsIdentity> {
        &mut status.declared.identity
    }

    /// The items are most of an inventory.
    fn strip_to_head(&mut self) {
        self.spec = GlueInventorySpec::default();
        if let Some(status) = &mut self.status {
            status.items.clear();
        }
    }
}

/// What the object wants to see.
fn demand(object: &GlueInventory) -> Demand {
    Demand::of(&object.spec, object.annotations().get(REFRESH).map(String::as_str))
}
