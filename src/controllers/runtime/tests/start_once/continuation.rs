//! Whether a state leads to an end when nothing goes wrong any more, and what lookups show under a mutation.

use std::sync::Arc;
use std::time::Duration;

use super::Subject;
use super::mutations::Mutation;
use super::object::Controller;
use super::world::{SETTLE, World};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::Lookup;

impl<S: Subject> World<S> {
    /// Why the state is wrong.
    pub fn problem(&self) -> String {
        self.violation().unwrap_or_else(|| format!("no end is reached: {:#?}", self.continued().object.status))
    }

    /// Whether the object comes to its end from here when nothing goes wrong any more, and is not written after that.
    /// Asked between passes only: every other state leads to one of those.
    pub fn comes_to_an_end(&self) -> bool {
        let is_between = self.controllers.iter().all(|controller| controller.pass.is_none());
        if self.faults > 0 || !is_between || self.violation.is_some() {
            return true;
        }
        let end = self.continued();
        let again = end.clone().pass_alone();
        self.subject.is_settled(&end) && end.violation().is_none() && again.object.version == end.object.version
    }

    /// One controller alone, that begins anew, until the object has come to its end.
    fn continued(&self) -> Self {
        let mut world = self.clone();
        (world.faults, world.others) = (0, 0);
        world.in_flight.clear();
        world.controllers = [Controller::new(world.object.version), Controller::new(0)];
        for _ in 0..8 {
            world = world.pass_alone();
            if world.subject.is_settled(&world) {
                break;
            }
            world.settle();
            world.started.iter_mut().for_each(|started| started.live = false);
        }
        world
    }

    /// One pass of controller 0 on the newest version, with the newest observation.
    fn pass_alone(self) -> Self {
        let newest = Arc::clone(&self.object);
        let mut world = match self.begins(0, &newest).pop() {
            Some(begun) => *begun.next,
            None => return self,
        };
        for _ in 0..60 {
            if world.controllers[0].pass.is_none() {
                break;
            }
            world = *world.of_controller(0).swap_remove(0).next;
        }
        world
    }
}

impl<S: Subject> World<S> {
    /// The age of the intent as a lookup notes it.
    pub fn mutated_age(&self, who: usize) -> Duration {
        if self.is(Mutation::EarlyLookupsSettle) {
            return Duration::from_secs(SETTLE.unsigned_abs());
        }
        self.intent_age(who)
    }

    /// A lookup that failed.
    pub fn failed_lookup<T>(&self, problem: Problem) -> Lookup<T> {
        if self.is(Mutation::FailedLookupsCountAsNotFound) {
            return Lookup::NotFound { intent_age: Duration::from_secs(SETTLE.unsigned_abs()) };
        }
        Lookup::Failed(problem)
    }
}
