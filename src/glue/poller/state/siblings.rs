//! What the poll of one group shows for its siblings. Nothing of the answer is kept for them: it only decides whether they
//! ask for themselves.

use std::collections::HashMap;
use std::hash::Hash;

use tokio::time::Instant;

use super::{Group, State, is_finished};
use crate::glue::poller::{Observation, Source};
use crate::glue::rate_limiter::News;

impl<S: Source, R: Clone + Eq + Hash> State<S, R> {
    /// Whether a group has siblings.
    pub(super) fn has_siblings(&self, source: &S) -> bool {
        self.groups.keys().any(|other| other != source && other.is_sibling_of(source))
    }

    /// Tells the siblings of a group whether what its poll showed has changed for them.
    pub(super) fn inform_siblings(
        &mut self,
        source: &S,
        polled_at: Instant,
        seen: &HashMap<String, S::Item>,
    ) -> Vec<S> {
        let mut informed = Vec::new();
        for (sibling, group) in &mut self.groups {
            if seen.is_empty() || sibling == source || !sibling.is_sibling_of(source) {
                continue;
            }
            let Some(news) = group.news::<S>(polled_at, seen) else { continue };
            group.news = news;
            if news == News::Nothing {
                group.unchanged_at = Some(polled_at);
            }
            informed.push(sibling.clone());
        }
        for group in informed.iter().chain([source]) {
            if let Some(group) = self.groups.get_mut(group) {
                group.informs = informed.len() + 1;
            }
        }
        informed
    }
}

impl<T, R> Group<T, R> {
    /// What the poll of a sibling showed for this group; `None` where that is not clear.
    fn news<S: Source<Item = T>>(&self, polled_at: Instant, seen: &HashMap<String, T>) -> Option<News> {
        let is_newer = self.polled_at.is_none_or(|own| own < polled_at);
        if !is_newer || self.items.values().any(|item| item.failing.is_some() || item.refreshed_at > polled_at) {
            return None;
        }
        let mut news = Some(News::Nothing);
        for (id, item) in self.items.iter().filter(|(_, item)| !is_finished::<S>(item.last.as_ref())) {
            let last = match &item.last {
                Some(Observation::Present(last)) => Some(last),
                Some(Observation::NotFound) | None => None,
            };
            let seen = seen.get(last.and_then(S::current_id).unwrap_or(id));
            match seen.and_then(|seen| S::news(last, seen)) {
                // One change is enough.
                Some(News::Changed) => return Some(News::Changed),
                Some(of_item) => news = news.map(|news| news.max(of_item)),
                None => news = None,
            }
        }
        news
    }
}
