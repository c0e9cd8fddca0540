//! What metrics say of single inventories: the states of the items that they list, and how far the lineage is behind that
//! they send. These are the only metrics with names as labels. Each inventory lists at most 1,000 items; beyond
//! [`MOST_SERIES`] of all inventories, items are not shown, and beyond [`MOST_RECEIVERS`] no lag is.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// The most items of all inventories together.
pub(super) const MOST_SERIES: usize = 5_000;
/// The most inventories with a receiver of their own of which the lag is shown.
const MOST_RECEIVERS: usize = 500;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InventoryLabels {
    namespace: String,
    inventory: String,
}

impl InventoryLabels {
    fn new(namespace: &str, inventory: &str) -> Self {
        Self { namespace: namespace.to_owned(), inventory: inventory.to_owned() }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ItemLabels {
    namespace: String,
    inventory: String,
    r#type: &'static str,
    item: String,
    state: String,
}

/// The items by inventory, as namespace and name.
#[derive(Debug)]
pub(super) struct Inventories {
    states: Family<ItemLabels, Gauge>,
    shown: Mutex<HashMap<(String, String), HashSet<ItemLabels>>>,
    lineage_lag: Family<InventoryLabels, Gauge<f64, AtomicU64>>,
    receivers: Mutex<HashSet<InventoryLabels>>,
}

impl Inventories {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let states = Family::default();
        let help = "1 for each item that an inventory lists, by the state of its newest run";
        registry.register("inventory_item_state", help, Family::clone(&states));
        let lineage_lag = Family::default();
        let help = "For how long the oldest OpenLineage event of an inventory has been waiting for its own receiver";
        registry.register_with_unit("inventory_lineage_lag", help, Unit::Seconds, Family::clone(&lineage_lag));
        Self { states, shown: Mutex::default(), lineage_lag, receivers: Mutex::default() }
    }

    /// The oldest event of lineage of an inventory has been waiting for so long.
    pub(super) fn set_lineage_lag(&self, namespace: &str, inventory: &str, lag: Duration) {
        let labels = InventoryLabels::new(namespace, inventory);
        let mut receivers = self.receivers.lock().unwrap_or_else(PoisonError::into_inner);
        if receivers.contains(&labels) || receivers.len() < MOST_RECEIVERS {
            self.lineage_lag.get_or_create(&labels).set(lag.as_secs_f64());
            receivers.insert(labels);
        }
    }

    /// The inventory has no receiver of its own any more.
    pub(super) fn forget_lineage(&self, namespace: &str, inventory: &str) {
        let labels = InventoryLabels::new(namespace, inventory);
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner).remove(&labels);
        self.lineage_lag.remove(&labels);
    }

    /// Shows these items of an inventory, and no others.
    pub(super) fn replace<'a>(
        &self,
        namespace: &str,
        inventory: &str,
        items: impl Iterator<Item = (&'static str, &'a str, &'a str)>,
    ) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.to_owned(), inventory.to_owned());
        let before = shown.remove(&key).unwrap_or_default();
        let left = MOST_SERIES.saturating_sub(shown.values().map(HashSet::len).sum());
        let labels = |(type_, item, state): (&'static str, &str, &str)| ItemLabels {
            namespace: namespace.to_owned(),
            inventory: inventory.to_owned(),
            r#type: type_,
            item: item.to_owned(),
            state: state.to_owned(),
        };
        let now: HashSet<_> = items.take(left).map(labels).collect();
        for labels in before.difference(&now) {
            self.states.remove(labels);
        }
        for labels in now.difference(&before) {
            self.states.get_or_create(labels).set(1);
        }
        if !now.is_empty() {
            shown.insert(key, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn text(registry: &Registry) -> String {
        let mut text = String::new();
        encode(&mut text, registry).unwrap_or_default();
        text
    }

    #[test]
    fn an_inventory_shows_its_items_of_now_and_all_of_them_a_bounded_number() {
        let mut registry = Registry::default();
        let inventories = Inventories::register(&mut registry);
        inventories.replace("a", "all", [("job", "etl", "FAILED"), ("job", "load", "SUCCEEDED")].into_iter());
        inventories.replace("a", "all", [("job", "etl", "SUCCEEDED")].into_iter());
        let line =
            "inventory_item_state{namespace=\"a\",inventory=\"all\",type=\"job\",item=\"etl\",state=\"SUCCEEDED\"} 1";
        let shown = text(&registry);
        assert!(shown.contains(line) && !shown.contains("FAILED") && !shown.contains("load"), "{shown}");
        let names: Vec<_> = (0..MOST_SERIES + 100).map(|n| n.to_string()).collect();
        inventories.replace("b", "many", names.iter().map(|name| ("job", name.as_str(), "FAILED")));
        assert_eq!(text(&registry).matches("} 1").count(), MOST_SERIES);
        inventories.replace("a", "all", std::iter::empty());
        inventories.replace("b", "many", std::iter::empty());
        assert_eq!(text(&registry).matches("} 1").count(), 0);
    }

    #[test]
    fn the_lag_of_a_receiver_is_shown_while_it_is_there_and_of_a_bounded_number() {
        let mut registry = Registry::default();
        let inventories = Inventories::register(&mut registry);
        inventories.set_lineage_lag("a", "all", Duration::from_millis(1500));
        let line = "inventory_lineage_lag_seconds{namespace=\"a\",inventory=\"all\"} 1.5";
        assert!(text(&registry).contains(line), "{}", text(&registry));
        for number in 0..2 * MOST_RECEIVERS {
            inventories.set_lineage_lag("b", &number.to_string(), Duration::ZERO);
        }
        assert_eq!(text(&registry).matches("inventory=").count(), MOST_RECEIVERS);
        inventories.set_lineage_lag("a", "all", Duration::from_secs(2));
        assert!(text(&registry).contains("inventory=\"all\"} 2.0"));
        inventories.forget_lineage("a", "all");
        inventories.set_lineage_lag("b", "another", Duration::ZERO);
        assert!(text(&registry).contains("another") && !text(&registry).contains("inventory=\"all\""));
    }
}
