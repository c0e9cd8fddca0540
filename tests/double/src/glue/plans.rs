//! A list of plans. Each use takes the next one; when the list is used up, the last one repeats.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Plans<P>(Vec<P>);

impl<P: Default> Default for Plans<P> {
    fn default() -> Self {
        Self(vec![P::default()])
    }
}

impl<P: Clone + Default> Plans<P> {
    pub(super) fn new(plans: impl IntoIterator<Item = P>) -> Self {
        Self(plans.into_iter().collect())
    }

    /// Changes all plans.
    pub(super) fn each(&mut self, change: impl FnMut(&mut P)) {
        self.0.iter_mut().for_each(change);
    }

    /// Appends a copy of the last plan with a change.
    pub(super) fn append_changed(&mut self, change: impl FnOnce(&mut P)) {
        let mut plan = self.0.last().cloned().unwrap_or_default();
        change(&mut plan);
        self.0.push(plan);
    }

    /// The plan of the next use; `used` counts the uses so far.
    pub(super) fn next(&self, used: &mut usize) -> P {
        let plan = self.0.get(*used).or_else(|| self.0.last()).cloned().unwrap_or_default();
        *used += 1;
        plan
    }
}
