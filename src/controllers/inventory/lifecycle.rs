//! The lifecycle of an inventory, as the [`reconciler`](crate::controllers::runtime::reconciler) uses it: gathers the
//! facts, files the Events, and sets the metrics.

use std::convert::Infallible;

use kube::ResourceExt;
use kube::core::object::HasStatus;
use kube::runtime::events::Event;
use tracing::info;

use super::plan::{self, Facts};
use super::{changes, demand, lineage};
use crate::api::GlueInventory;
use crate::api::inventory::GlueInventoryStatus;
use crate::controllers::declared;
use crate::controllers::runtime::context::Context;
use crate::controllers::runtime::lifecycle::{Earlier, Lifecycle};
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::Intent;
use crate::controllers::runtime::step::Plan;
use crate::controllers::runtime::time;
use crate::glue::inventory::demand::Selected;
use crate::glue::inventory::source::InventorySource;
use crate::glue::poller::{Observation, Report};

use super::InventoryLocalState;

/// The lifecycle of an inventory. It makes no calls: the poller reads.
pub struct InventoryLifecycle;

impl Lifecycle<GlueInventory> for InventoryLifecycle {
    type Call = Infallible;

    fn on_deleted(context: &Context<GlueInventory>, object: &GlueInventory) {
        context.shared.metrics.forget_inventory(&object.namespace().unwrap_or_default(), &object.name_any());
    }

    fn begin_pass(_: &GlueInventory, _: &mut InventoryLocalState, _: Earlier<'_>) {}

    fn plan(pass: &mut Pass<'_, GlueInventory>) -> Plan<GlueInventoryStatus, Infallible> {
        let demand = demand(&pass.object);
        let selected = Selected::of(&demand);
        let client = pass.client().filter(|_| selected.is_ok()).cloned();
        let report = if let Some(client) = client {
            pass.context.poller.watch(&InventorySource { client }, &demand.id(), &pass.reference)
        } else {
            pass.context.poller.forget(&pass.reference);
            Report::default()
        };
        let picture = match report.observation {
            Some(Observation::Present(picture)) => Some(picture),
            Some(Observation::NotFound) | None => None,
        };
        let lineage = selected.as_ref().ok().and_then(|selected| lineage::report(pass, selected, picture.as_deref()));
        let refused = picture.iter().flat_map(|picture| &picture.refused);
        let refused = refused.map(|error| (error.operation, pass.explain(error))).collect();
        plan::plan(&Facts {
            common: pass.common_facts(report.error.as_deref()),
            object: &pass.object,
            selected,
            picture,
            refused,
            lineage,
        })
    }

    fn intent(_: &GlueInventoryStatus) -> Option<Intent> {
        None
    }

    fn is_non_idempotent(call: &Infallible) -> bool {
        match *call {}
    }

    async fn call(_: &mut Pass<'_, GlueInventory>, call: Infallible) {
        match call {}
    }

    fn on_status_written(pass: &mut Pass<'_, GlueInventory>, before: Option<&GlueInventoryStatus>) {
        let Some(after) = pass.object.status() else { return };
        let transition = declared::events::of_transition(before.map(|before| &before.declared), &after.declared);
        let events: Vec<Event> = transition.into_iter().chain(changes::events(before, after)).collect();
        for event in events {
            info!(
                kind = "GlueInventory",
                namespace = pass.reference.namespace,
                name = pass.reference.name,
                reason = event.reason,
                "{}",
                event.note.as_deref().unwrap_or_default()
            );
            pass.publish(event);
        }
        measure(pass);
    }

    fn report(object: &GlueInventory, problem: &Problem) -> Option<GlueInventoryStatus> {
        let mut status = object.status().cloned().unwrap_or_default();
        status.declared.observed_generation = object.metadata.generation.unwrap_or_default();
        let before = &status.declared.conditions;
        status.declared.conditions = declared::conditions::with_problem(before, problem, time::now());
        Some(status)
    }

    fn on_idle(pass: &Pass<'_, GlueInventory>) {
        // After a restart the status may be as it has to be.
        if !pass.with_local(|local| local.kind_state.is_measured) {
            measure(pass);
        }
    }

    fn describe_left_behind(left_behind: &str) -> String {
        left_behind.to_owned()
    }
}

/// Shows the listed items in the metrics.
fn measure(pass: &Pass<'_, GlueInventory>) {
    let Some(status) = pass.object.status() else { return };
    let listed = status.items.iter().filter(|item| item.deleted_at.is_none());
    let items = listed.map(|item| (item.type_.noun(), item.name.as_str(), item.state.as_str()));
    let namespace = pass.reference.namespace.as_deref().unwrap_or_default();
    pass.context.shared.metrics.inventory(namespace, &pass.reference.name, items);
    pass.with_local(|local| local.kind_state.is_measured = true);
}
