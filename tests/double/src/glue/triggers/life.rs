//! How triggers move: activated and deactivated by way of the states between, and firing while active.

use std::{sync::Arc, time::Duration};

use super::{Trigger, TriggerState, TriggerType};
use crate::{
    error::AwsError,
    glue::{Region, region::Event},
};

/// What can fall due about a trigger: its name, which of all triggers of that name it was, and its course.
#[derive(Clone, Debug)]
pub(in crate::glue) enum TriggerEvent {
    /// It comes to the state it was on its way to.
    Arrive(Arc<str>, u64, u64, TriggerState),
    /// It is gone.
    Gone(Arc<str>, u64, u64),
    /// A time of its schedule has come.
    Tick(Arc<str>, u64, u64),
    /// Its window for events is over.
    Window(Arc<str>, u64, u64),
}

impl TriggerEvent {
    fn subject(&self) -> (&Arc<str>, u64, u64) {
        match self {
            Self::Arrive(name, birth, course, _)
            | Self::Gone(name, birth, course)
            | Self::Tick(name, birth, course)
            | Self::Window(name, birth, course) => (name, *birth, *course),
        }
    }
}

impl Region {
    pub(in crate::glue) fn trigger_event(&mut self, event: TriggerEvent) {
        let (name, birth, course) = event.subject();
        if !self.trigger(name).is_ok_and(|trigger| trigger.birth == birth && trigger.course == course) {
            return;
        }
        match event {
            TriggerEvent::Arrive(name, _, _, state) => self.arrive(&name, state),
            TriggerEvent::Gone(name, ..) => self.remove_trigger(&name),
            TriggerEvent::Tick(name, ..) => {
                // A workflow that has all its runs already misses this time.
                let _ = self.fire_new(&name);
                self.plan_trigger_tick(&name);
            }
            TriggerEvent::Window(name, ..) => self.fire_events(&name),
        }
    }

    /// Puts a trigger on its way to a state; at once when the way takes no time.
    pub(super) fn go(&mut self, name: &str, by: TriggerState, to: TriggerState, lasts: Duration) {
        if lasts.is_zero() {
            return self.arrive(name, to);
        }
        let at = self.now() + lasts;
        let Ok(trigger) = self.trigger_mut(name) else { return };
        trigger.course += 1;
        trigger.state = by;
        let event = TriggerEvent::Arrive(name.into(), trigger.birth, trigger.course, to);
        self.agenda.at(at, Event::Trigger(event));
    }

    fn arrive(&mut self, name: &str, state: TriggerState) {
        let Ok(trigger) = self.trigger_mut(name) else { return };
        trigger.course += 1;
        trigger.state = state;
        trigger.events = 0;
        trigger.tallies.clear();
        self.plan_trigger_tick(name);
    }

    /// Deletes a trigger, by way of DELETING.
    pub(super) fn delete_trigger(&mut self, name: &str) {
        let lasts = self.triggers.times.deleting;
        if lasts.is_zero() {
            return self.remove_trigger(name);
        }
        let at = self.now() + lasts;
        let Ok(trigger) = self.trigger_mut(name) else { return };
        trigger.course += 1;
        trigger.state = TriggerState::Deleting;
        let event = TriggerEvent::Gone(name.into(), trigger.birth, trigger.course);
        self.agenda.at(at, Event::Trigger(event));
    }

    fn remove_trigger(&mut self, name: &str) {
        self.triggers.by_name.remove(name);
        let arn = self.arn("trigger", name);
        self.tags.forget(&arn);
    }

    fn plan_trigger_tick(&mut self, name: &str) {
        let now = self.now();
        let Ok(trigger) = self.trigger(name) else { return };
        if trigger.state != TriggerState::Activated {
            return;
        }
        let next = trigger.schedule.as_ref().and_then(|schedule| schedule.next_after(now));
        let event = TriggerEvent::Tick(name.into(), trigger.birth, trigger.course);
        if let Some(at) = next {
            self.agenda.at(at, Event::Trigger(event));
        }
    }

    /// An event arrives for an EVENT trigger; ignored while it is not ACTIVATED.
    pub fn notify_event(&mut self, name: &str) -> Result<(), AwsError> {
        let now = self.now();
        let trigger = self.trigger_mut(name)?;
        if trigger.state != TriggerState::Activated || trigger.settings.kind != TriggerType::Event {
            return Ok(());
        }
        trigger.events += 1;
        match trigger.settings.event_batching_condition {
            Some(batch) if trigger.events < batch.batch_size => {
                if trigger.events == 1 {
                    let event = TriggerEvent::Window(name.into(), trigger.birth, trigger.course);
                    let window = Duration::from_secs(batch.batch_window.unwrap_or(900));
                    self.agenda.at(now + window, Event::Trigger(event));
                }
            }
            _ => self.fire_events(name),
        }
        Ok(())
    }

    fn fire_events(&mut self, name: &str) {
        let Ok(trigger) = self.trigger_mut(name) else { return };
        trigger.events = 0;
        // The window of these events is closed.
        trigger.course += 1;
        let _ = self.fire_new(name);
    }

    /// Refuses a change while this trigger, or another of its workflow, is on its way to another state.
    pub(super) fn check_unmoved(&self, name: &str) -> Result<(), AwsError> {
        let trigger = self.trigger(name)?;
        if trigger.state.is_transitional() {
            return Err(modified(format!("Trigger {name} is being modified")));
        }
        self.check_workflow_unmoved(trigger.settings.workflow_name.as_deref(), name)
    }

    /// Refuses a change to a workflow while one of its triggers is on its way to another state.
    pub(super) fn check_workflow_unmoved(&self, workflow: Option<&str>, trigger: &str) -> Result<(), AwsError> {
        let Some(workflow) = workflow else { return Ok(()) };
        let moves = |other: &Trigger| {
            other.settings.workflow_name.as_deref() == Some(workflow) && other.state.is_transitional()
        };
        if self.triggers.by_name.values().any(moves) {
            return Err(modified(format!("Workflow {workflow} was modified while changing trigger {trigger}")));
        }
        Ok(())
    }
}

fn modified(message: String) -> AwsError {
    AwsError::modelled("ConcurrentModificationException", message)
}
