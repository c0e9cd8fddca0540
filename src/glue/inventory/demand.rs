//! What inventories want to see. Those of one client are read together: the union of what all of them want.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::inventory::{GlueInventorySpec, ItemType, Selection};
use crate::glue::name_filter::{NameFilter, PatternError};

/// How often an inventory is read by default, in minutes.
const USUAL_MINUTES: u32 = 15;

/// What one inventory wants to see. As text it is the id by which the poller knows it; inventories that want the same
/// share it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    jobs: Selection,
    crawlers: Selection,
    triggers: Selection,
    workflows: Selection,
    runs_per_job: u32,
    tags: bool,
    minutes: u32,
    /// Any text: with a new one the account is read again at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
}

impl Demand {
    /// The demand of a spec. `refresh` is the value of the annotation that asks for a read at once.
    #[must_use]
    pub fn of(spec: &GlueInventorySpec, refresh: Option<&str>) -> Self {
        Self {
            jobs: spec.selection(ItemType::Job),
            crawlers: spec.selection(ItemType::Crawler),
            triggers: spec.selection(ItemType::Trigger),
            workflows: spec.selection(ItemType::Workflow),
            runs_per_job: spec.runs_per_job.unwrap_or(1),
            tags: spec.include_tags.unwrap_or_default(),
            minutes: spec.every_minutes.unwrap_or(USUAL_MINUTES),
            refresh: refresh.map(str::to_owned),
        }
    }

    /// The id by which the poller knows it.
    #[must_use]
    pub fn id(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The demand with this id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        serde_json::from_str(id).ok()
    }

    /// The time between the beginnings of two reads.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_mins(self.minutes.into())
    }

    /// The same, whatever asked for a read and however often it is read.
    #[must_use]
    pub fn content(&self) -> Self {
        Self { minutes: 0, refresh: None, ..self.clone() }
    }

    /// What asks for a read at once.
    #[must_use]
    pub fn refresh(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    fn selection(&self, type_: ItemType) -> &Selection {
        match type_ {
            ItemType::Job => &self.jobs,
            ItemType::Crawler => &self.crawlers,
            ItemType::Trigger => &self.triggers,
            ItemType::Workflow => &self.workflows,
        }
    }
}

/// What one inventory selects, with its patterns compiled.
#[derive(Clone, Debug)]
pub struct Selected {
    /// In the order of [`ItemType::ALL`]; `None` for a type that is not read.
    by_type: [Option<NameFilter>; 4],
    /// How many of the newest runs of each job and crawler.
    pub runs: usize,
    /// Whether tags are wanted.
    pub tags: bool,
}

impl Selected {
    /// Compiles the patterns. An error comes with the type that it is about.
    pub fn of(demand: &Demand) -> Result<Self, (ItemType, PatternError)> {
        let mut by_type = [const { None }; 4];
        for (filter, type_) in by_type.iter_mut().zip(ItemType::ALL) {
            let selection = demand.selection(type_);
            if selection.is_enabled() {
                let [includes, excludes] =
                    [&selection.includes, &selection.excludes].map(|patterns| patterns.as_deref().unwrap_or_default());
                *filter = Some(NameFilter::new(includes, excludes).map_err(|error| (type_, error))?);
            }
        }
        let runs = usize::try_from(demand.runs_per_job).unwrap_or(usize::MAX);
        Ok(Self { by_type, runs, tags: demand.tags })
    }

    /// Whether items of the type are wanted.
    #[must_use]
    pub fn reads(&self, type_: ItemType) -> bool {
        self.filter(type_).is_some()
    }

    /// Whether an item is wanted.
    #[must_use]
    pub fn has(&self, type_: ItemType, name: &str) -> bool {
        self.filter(type_).is_some_and(|filter| filter.selects(name))
    }

    fn filter(&self, type_: ItemType) -> Option<&NameFilter> {
        self.by_type.iter().zip(ItemType::ALL).find(|(_, of)| *of == type_).and_then(|(filter, _)| filter.as_ref())
    }
}

/// What all inventories of a client select together.
#[derive(Clone, Debug, Default)]
pub struct Union(Vec<Selected>);

impl Union {
    /// The union of demands. One whose patterns are invalid selects nothing: its inventory says so.
    pub fn of<'a>(demands: impl IntoIterator<Item = &'a Demand>) -> Self {
        Self(demands.into_iter().filter_map(|demand| Selected::of(demand).ok()).collect())
    }

    /// Whether somebody wants items of the type.
    #[must_use]
    pub fn reads(&self, type_: ItemType) -> bool {
        self.0.iter().any(|selected| selected.reads(type_))
    }

    /// Whether somebody wants an item.
    #[must_use]
    pub fn has(&self, type_: ItemType, name: &str) -> bool {
        self.0.iter().any(|selected| selected.has(type_, name))
    }

    /// Whether somebody wants the tags of an item.
    #[must_use]
    pub fn has_tags(&self, type_: ItemType, name: &str) -> bool {
        self.0.iter().any(|selected| selected.tags && selected.has(type_, name))
    }

    /// How many of the newest runs of a job or crawler are wanted.
    #[must_use]
    pub fn runs(&self, type_: ItemType, name: &str) -> usize {
        self.0.iter().filter(|selected| selected.has(type_, name)).map(|selected| selected.runs).max().unwrap_or(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::ItemType::{Crawler, Job, Trigger};
    use super::*;

    fn demand(spec: serde_json::Value) -> Demand {
        Demand::of(&serde_json::from_value(spec).unwrap(), None)
    }

    #[test]
    fn a_demand_is_what_its_id_says() {
        let spec = json!({"jobs": {"includes": ["etl"]}, "triggers": {"enabled": false}, "runsPerJob": 5});
        let wanted = demand(spec);
        assert_eq!(Demand::parse(&wanted.id()), Some(wanted.clone()));
        assert_eq!(Demand::parse("etl"), None);
        assert_eq!(wanted.period(), Duration::from_mins(15));
        let other = demand(
            json!({"jobs": {"includes": ["etl"]}, "triggers": {"enabled": false}, "runsPerJob": 5, "everyMinutes": 3}),
        );
        assert_eq!((wanted.content(), wanted == other), (other.content(), false));
    }

    #[test]
    fn a_union_has_what_one_of_its_demands_has() {
        let union = Union::of(&[
            demand(json!({"jobs": {"includes": ["etl"]}, "crawlers": {"enabled": false}, "runsPerJob": 5})),
            demand(json!({"jobs": {"includes": ["load"]}, "crawlers": {"enabled": false}, "includeTags": true})),
            demand(json!({"jobs": {"includes": ["bad["]}})),
        ]);
        assert!(union.reads(Job) && union.reads(Trigger) && !union.reads(Crawler));
        assert!(union.has(Job, "etl") && union.has(Job, "load") && !union.has(Job, "bad"));
        assert!(union.has_tags(Job, "load") && !union.has_tags(Job, "etl"));
        assert_eq!((union.runs(Job, "etl"), union.runs(Job, "load"), union.runs(Job, "other")), (5, 1, 0));
    }
}
