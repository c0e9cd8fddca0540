//! The kinds, as the command line names them.

use kube::core::ApiResource;
use kube::{CustomResourceExt, Resource};

use crate::api::{GlueConnection, GlueCrawlerRun, GlueInventory, GlueJobRun, GlueTrigger, GlueWorkflowRun};

/// A kind of the API group.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    /// Its name and plural in the API.
    pub(super) resource: ApiResource,
    /// Its short names, for example `gjr`.
    short: &'static [&'static str],
    /// Whether its objects come to an end.
    pub(super) is_run: bool,
}

impl Kind {
    fn of<K: Resource<DynamicType = ()> + CustomResourceExt>(is_run: bool) -> Self {
        Self { resource: K::api_resource(), short: K::shortnames(), is_run }
    }

    pub(super) fn job_run() -> Self {
        Self::of::<GlueJobRun>(true)
    }

    pub(super) fn crawler_run() -> Self {
        Self::of::<GlueCrawlerRun>(true)
    }

    pub(super) fn workflow_run() -> Self {
        Self::of::<GlueWorkflowRun>(true)
    }

    pub(super) fn trigger() -> Self {
        Self::of::<GlueTrigger>(false)
    }

    pub(super) fn connection() -> Self {
        Self::of::<GlueConnection>(false)
    }

    fn inventory() -> Self {
        Self::of::<GlueInventory>(false)
    }

    /// All of them.
    pub(super) fn all() -> [Self; 6] {
        [
            Self::job_run(),
            Self::crawler_run(),
            Self::trigger(),
            Self::connection(),
            Self::workflow_run(),
            Self::inventory(),
        ]
    }

    /// Those whose objects come to an end.
    pub(super) fn runs() -> impl Iterator<Item = Self> {
        Self::all().into_iter().filter(|kind| kind.is_run)
    }

    /// Finds a kind by its name, plural, short name or full name, in any case, as kubectl does.
    pub(super) fn parse(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::all().into_iter().find(|kind| {
            let ApiResource { kind: name, plural, group, .. } = &kind.resource;
            let singular = name.to_ascii_lowercase();
            let full = word.strip_suffix(&format!(".{group}")).unwrap_or(&word);
            full == singular || full == plural || kind.short.contains(&word.as_str())
        })
    }

    /// What may stand before the slash of `KIND/NAME`, for messages.
    pub(super) fn words() -> String {
        Self::all().map(|kind| kind.short.first().copied().unwrap_or_default().to_owned()).join(", ")
    }

    /// Whether its objects are triggers.
    pub(super) fn is_trigger(&self) -> bool {
        self.resource.kind == GlueTrigger::kind(&())
    }

    /// The name of an object as a user types it: `gjr/NAME`.
    pub(super) fn short_name(&self, name: &str) -> String {
        format!("{}/{name}", self.short.first().copied().unwrap_or(&self.resource.plural))
    }

    /// The name of an object as kubectl prints it: `gluejobrun.kube-glue.dev/NAME`.
    pub(super) fn full_name(&self, name: &str) -> String {
        format!("{}.{}/{name}", self.resource.kind.to_ascii_lowercase(), self.resource.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_each_of_its_names() {
        for word in ["gjr", "GlueJobRun", "gluejobruns", "gluejobrun.kube-glue.dev", "GLUEJOBRUNS.kube-glue.dev"] {
            assert_eq!(Kind::parse(word).map(|kind| kind.resource.kind).as_deref(), Some("GlueJobRun"), "{word}");
        }
        for word in ["", "pod", "gjr.kube-glue.dev", "glue"] {
            assert!(Kind::parse(word).is_none(), "{word}");
        }
    }

    #[test]
    fn every_kind_of_the_api_is_known() {
        let mut known = Kind::all().map(|kind| kind.resource.kind);
        known.sort();
        let crds: Vec<_> = crate::api::crds().into_iter().map(|crd| crd.spec.names.kind).collect();
        assert_eq!(known.to_vec(), crds);
    }
}
