//! The writes of a pass to its object, and what becomes of them.

use std::sync::Arc;

use super::cluster::Object;
use super::glue::ClientId;
use super::kind::Simulated;
use super::shell::Pass;
use super::time::{Ms, SECOND};
use super::world::World;
use crate::api::run::RunStatus;
use crate::controllers::run::events;
use crate::controllers::run::lifecycle::intent;
use crate::controllers::runtime::reconciler::{WRITE_AGAIN, until_next_pass};
use crate::controllers::runtime::start_once::records_intent;
use crate::glue::rate_limiter::budget::Ticket;

impl<K: Simulated> World<K> {
    pub fn write_status(&mut self, mut pass: Pass, status: RunStatus, place: Option<(ClientId, Ticket)>) {
        let name = pass.object.name.clone();
        let before = pass.object.status.clone();
        let base = Arc::clone(&pass.object);
        let after = status.clone();
        let Some(written) = self.write(&base, |object| object.status = status) else {
            if let Some((client, ticket)) = place {
                self.give_back(client, ticket);
            }
            return self.on_pass_end(&pass, false);
        };
        self.on_written(&mut pass, written);
        let obstacles = self.obstacles(&pass.object);
        self.checks.status_written(self.now, &pass.object, &before, &after, obstacles);
        if let Some((_, event)) = events::of_transition(&before, &after) {
            self.log(Some(&name), || {
                format!("status {:?}: {}", after.phase.unwrap_or_default(), event.note.unwrap_or_default())
            });
        } else {
            self.log(Some(&name), || format!("status {:?}, without an Event", after.phase.unwrap_or_default()));
        }
        let intends = records_intent(intent(&before).as_ref(), intent(&after).as_ref());
        pass.fresh_intent |= intends;
        pass.state.on_status_written(&before, &after, intends);
        self.share_status(&pass, &before, &after);
        self.process.passes.insert(name.clone(), pass);
        self.go_on(&name);
    }

    pub fn write_finalizer(&mut self, mut pass: Pass, add: bool) {
        let name = pass.object.name.clone();
        let base = Arc::clone(&pass.object);
        let Some(written) = self.write(&base, |object| object.set_finalizer(add)) else {
            return self.on_pass_end(&pass, false);
        };
        self.log(Some(&name), || format!("the finalizer is {}", if add { "added" } else { "removed" }));
        self.process.local.with(written.uid(), |local| local.finalizer_is_own = add);
        self.on_written(&mut pass, written);
        if !add && pass.object.is_deleting() {
            self.release(&name);
            self.on_pass_end(&pass, true);
            return self.end_pass(&name, None);
        }
        self.process.passes.insert(name.clone(), pass);
        self.go_on(&name);
    }

    fn on_written(&mut self, pass: &mut Pass, written: Arc<Object>) {
        self.process.local.with(written.uid(), |local| local.expected_version = Some(written.version));
        pass.object = written;
    }

    /// A write of the controller; `None` when it failed, and the pass has ended.
    fn write(&mut self, base: &Object, change: impl FnOnce(&mut Object)) -> Option<Arc<Object>> {
        let faults = self.faults();
        let fault = if self.writes.chance(faults / 2.0) { self.writes.between(1, 2) } else { 0 };
        let written = if fault == 1 { None } else { Some(self.cluster.write(base, change)) };
        self.figures.writes += 1;
        if fault > 0 {
            self.checks.lost(self.now, base.uid());
        }
        match written {
            Some(Ok(written)) => {
                self.checks.written(self.now, &written);
                if fault == 0 {
                    return Some(written);
                }
                self.log(Some(&base.name), || "a write took effect, and its answer was lost".to_owned());
            }
            Some(Err(_)) => {
                self.log(Some(&base.name), || "a write on an old version is refused".to_owned());
                self.end_pass(&base.name, Some(WRITE_AGAIN));
                return None;
            }
            None => self.log(Some(&base.name), || "the API server refuses a write".to_owned()),
        }
        let pause = self.process.local.with(base.uid(), |local| local.backoff.next_pause());
        self.end_pass(&base.name, Some(until_next_pass(pause, base.is_deleting())));
        None
    }

    /// How long a write takes.
    pub fn api_latency(&mut self) -> Ms {
        let slow = self.faults() > 0.0 && self.writes.chance(0.01);
        if slow { self.writes.between(SECOND, 10 * SECOND) } else { self.writes.between(4, 30) }
    }
}
