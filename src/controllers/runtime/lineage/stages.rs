//! How far each run had come when it was reported last. Pure.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use crate::lineage::openlineage::EventType;
use crate::lineage::progress::{End, Stage, events, furthest};

/// The most runs that are remembered. Events of one that is forgotten may be sent again.
const REMEMBERED: usize = 20_000;

/// The stages by namespace and run. Two objects of a namespace that show the same run send its events once; what objects of
/// another namespace show keeps nothing back.
#[derive(Debug, Default)]
pub struct Stages {
    by_run: HashMap<(String, Uuid), Stage>,
    order: VecDeque<(String, Uuid)>,
}

impl Stages {
    /// The events that this stage of a run asks for. `had_ended` says of a run that is not known whether a status has its
    /// end already: another process has sent it.
    pub fn advance(
        &mut self,
        namespace: &str,
        run: Uuid,
        stage: Stage,
        had_ended: impl FnOnce() -> bool,
    ) -> Vec<EventType> {
        let key = (namespace.to_owned(), run);
        let before = self.by_run.get(&key).copied();
        let before = before.or_else(|| had_ended().then_some(Stage::Ended(End::Complete)));
        let events = events(before, stage);
        if self.by_run.insert(key.clone(), furthest(before, stage)).is_none() {
            self.order.push_back(key);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.by_run.remove(&oldest);
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::run::run_id;
    use EventType::{Complete, Fail, Other, Start};

    const ENDED: Stage = Stage::Ended(End::Complete);

    #[test]
    fn a_run_is_reported_once_for_each_stage() {
        let (mut stages, run) = (Stages::default(), run_id("jr_1"));
        let mut advance = |stage| stages.advance("a", run, stage, || false);
        assert_eq!(advance(Stage::Pending), [Other]);
        assert_eq!(advance(Stage::Running), [Start]);
        assert_eq!(advance(Stage::Running), []);
        assert_eq!(advance(Stage::Pending), []);
        assert_eq!(advance(Stage::Ended(End::Fail)), [Fail]);
        assert_eq!(advance(ENDED), []);
        assert_eq!(advance(Stage::Running), []);
    }

    #[test]
    fn a_process_that_sees_a_run_first_sends_its_start_again_and_its_end_unless_a_status_has_it() {
        let mut stages = Stages::default();
        assert_eq!(stages.advance("a", run_id("live"), Stage::Running, || false), [Start]);
        assert_eq!(stages.advance("a", run_id("ended"), ENDED, || false), [Start, Complete]);
        assert_eq!(stages.advance("a", run_id("written"), ENDED, || true), []);
        assert_eq!(stages.advance("a", run_id("written"), Stage::Running, || false), []);
    }

    #[test]
    fn namespaces_keep_nothing_from_each_other_and_what_is_remembered_is_bounded() {
        let mut stages = Stages::default();
        assert_eq!(stages.advance("a", run_id("jr_1"), ENDED, || false), [Start, Complete]);
        assert_eq!(stages.advance("b", run_id("jr_1"), Stage::Running, || false), [Start]);
        for number in 0..2 * REMEMBERED {
            let _ = stages.advance("a", run_id(&number.to_string()), ENDED, || false);
        }
        assert_eq!((stages.by_run.len(), stages.order.len()), (REMEMBERED, REMEMBERED));
    }
}
