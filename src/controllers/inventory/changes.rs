//! Which items began to fail, which healed, and whether the receiver of lineage failed: the Events of two statuses. Pure.

use std::collections::HashMap;

use kube::runtime::events::Event;

use crate::api::inventory::{GlueInventoryStatus, Item, ItemType};
use crate::controllers::runtime::events::of_reason;
use crate::controllers::runtime::reason::Reason;

/// The most Events of one change, of each sort; one more counts the rest.
const MOST_EVENTS: usize = 10;

/// The Events of what changed from `before` to `after`. The first picture is no change, and neither is that of another
/// spec.
#[must_use]
pub fn events(before: Option<&GlueInventoryStatus>, after: &GlueInventoryStatus) -> Vec<Event> {
    let is_comparable = |before: &&GlueInventoryStatus| {
        before.last_whole_at.is_some() && before.declared.observed_generation == after.declared.observed_generation
    };
    let Some(before) = before.filter(is_comparable) else { return Vec::new() };
    let was: HashMap<(ItemType, &str), &Item> =
        before.items.iter().map(|item| ((item.type_, item.name.as_str()), item)).collect();
    let was_failing = |item: &Item| was.get(&(item.type_, item.name.as_str())).is_some_and(|before| before.failing);
    let present = || after.items.iter().filter(|item| item.deleted_at.is_none());
    let began: Vec<_> = present().filter(|item| item.failing && !was_failing(item)).collect();
    let healed: Vec<_> = present().filter(|item| !item.failing && was_failing(item)).collect();
    let mut events = described(Reason::BeganToFail, &began, "began to fail");
    events.extend(described(Reason::Healed, &healed, "succeeds again"));
    events.extend(receiver_failed(before, after));
    events
}

/// The receiver of lineage began to take no events.
fn receiver_failed(before: &GlueInventoryStatus, after: &GlueInventoryStatus) -> Option<Event> {
    let problem = |status: &GlueInventoryStatus| status.lineage.as_ref().and_then(|lineage| lineage.problem.clone());
    let trouble = problem(after).filter(|_| problem(before).is_none())?;
    let receiver = after.lineage.as_ref().map(|lineage| lineage.receiver.as_str()).unwrap_or_default();
    let note = format!("the receiver of lineage, {receiver}, takes no events: {trouble}; they wait");
    Some(of_reason(Reason::ReceiverFailed, note, Reason::ReceiverFailed.as_str()))
}

fn described(reason: Reason, items: &[&Item], what: &str) -> Vec<Event> {
    let event = |note: String| of_reason(reason, note, reason.as_str());
    let of_item = |item: &&Item| {
        let run = item.last_run.as_ref();
        let id = run.and_then(|run| run.id.as_ref()).map(|id| format!(" with run {id}")).unwrap_or_default();
        let why = run.and_then(|run| run.error.as_ref()).map(|error| format!(": {error}")).unwrap_or_default();
        event(format!("{} {} {what}{id} ({}){why}", item.type_.noun(), item.name, item.state))
    };
    let mut events: Vec<_> = items.iter().take(MOST_EVENTS).map(of_item).collect();
    let rest = items.len().saturating_sub(MOST_EVENTS);
    if rest > 0 {
        events.push(event(format!("and {rest} more: see status.items")));
    }
    events
}
