//! The state changes of triggers through transitional states, and the events that fire them.

use std::{sync::Arc, time::Duration};

use super::{Trigger, TriggerState, TriggerType};
use crate::{
    error::AwsError,
    glue::{Region, region::Event},
};

/// An event of a trigger, with the trigger's name, uid and generation. A trigger that is deleted and created again
/// has another uid.
#[derive(Clone, Debug)]
pub(in crate::glue) enum TriggerEvent {
    /// The transition ends: the trigger has the new state.
    EnterState(Arc<str>, u64, u64, TriggerState),
    /// The deletion ends.
    Deleted(Arc<str>, u64, u64),
    /// A scheduled time is reached.
    ScheduleTick(Arc<str>, u64, u64),
    /// The batch window of an EVENT trigger has passed.
    WindowClosed(Arc<str>, u64, u64),
}

impl TriggerEvent {
    fn subject(&self) -> (&Arc<str>, u64, u64) {
        match self {
            Self::EnterState(name, uid, generation, _)
            | Self::Deleted(name, uid, generation)
            | Self::ScheduleTick(name, uid, generation)
            | Self::WindowClosed(name, uid, generation) => (name, *uid, *generation),
        }
    }
}

impl Region {
    pub(in crate::glue) fn trigger_event(&mut self, event: TriggerEvent) {
        let (name, uid, generation) = event.subject();
        if !self.trigger(name).is_ok_and(|trigger| trigger.uid == uid && trigger.generation == generation) {
            return;
        }
        match event {
            TriggerEvent::EnterState(name, _, _, state) => self.enter_state(&name, state),
            TriggerEvent::Deleted(name, ..) => self.remove_trigger(&name),
            TriggerEvent::ScheduleTick(name, ..) => {
                self.fire_by_itself(&name);
                self.plan_trigger_tick(&name);
            }
            TriggerEvent::WindowClosed(name, ..) => self.fire_events(&name),
        }
    }

    /// Changes a trigger's state through the transitional state `via`, or at once if the duration is zero.
    pub(super) fn transition(&mut self, name: &str, via: TriggerState, to: TriggerState, duration: Duration) {
        if duration.is_zero() {
            return self.enter_state(name, to);
        }
        let at = self.now() + duration;
        let Ok(trigger) = self.trigger_mut(name) else { return };
        trigger.generation += 1;
        trigger.state = via;
        let event = TriggerEvent::EnterState(name.into(), trigger.uid, trigger.generation, to);
        self.events.push(at, Event::Trigger(event));
    }

    fn enter_state(&mut self, name: &str, state: TriggerState) {
        let Ok(trigger) = self.trigger_mut(name) else { return };
        trigger.generation += 1;
        trigger.state = state;
        trigger.events = 0;
        trigger.met_conditions.clear();
        self.plan_trigger_tick(name);
    }

    /// Deletes a trigger through the state DELETING.
    pub(super) fn delete_trigger(&mut self, name: &str) {
        let duration = self.triggers.times.deleting;
        if duration.is_zero() {
            return self.remove_trigger(name);
        }
        let at = self.now() + duration;
        let Ok(trigger) = self.trigger_mut(name) else { return };
        trigger.generation += 1;
        trigger.state = TriggerState::Deleting;
        let event = TriggerEvent::Deleted(name.into(), trigger.uid, trigger.generation);
        self.events.push(at, Event::Trigger(event));
    }

    fn remove_trigger(&mut self, name: &str) {
        self.triggers.by_name.remove(name);
        self.forget_tags("trigger", name);
    }

    fn plan_trigger_tick(&mut self, name: &str) {
        let now = self.now();
        let Ok(trigger) = self.trigger(name) else { return };
        if trigger.state != TriggerState::Activated {
            return;
        }
        let next = trigger.schedule.as_ref().and_then(|schedule| schedule.next_after(now));
        let event = TriggerEvent::ScheduleTick(name.into(), trigger.uid, trigger.generation);
        if let Some(at) = next {
            self.events.push(at, Event::Trigger(event));
        }
    }

    /// Delivers an event to an EVENT trigger. It fires while it is CREATED, which it stays.
    pub fn notify_event(&mut self, name: &str) -> Result<(), AwsError> {
        let now = self.now();
        let trigger = self.trigger_mut(name)?;
        if trigger.state.is_transitional() || trigger.settings.kind != TriggerType::Event {
            return Ok(());
        }
        trigger.events += 1;
        match trigger.settings.event_batching_condition {
            Some(batch) if trigger.events < batch.batch_size => {
                if trigger.events == 1 {
                    let event = TriggerEvent::WindowClosed(name.into(), trigger.uid, trigger.generation);
                    let window = Duration::from_secs(batch.batch_window.unwrap_or(900));
                    self.events.push(now + window, Event::Trigger(event));
                }
            }
            _ => self.fire_events(name),
        }
        Ok(())
    }

    fn fire_events(&mut self, name: &str) {
        let Ok(trigger) = self.trigger_mut(name) else { return };
        trigger.events = 0;
        // Ends the batch window of these events.
        trigger.generation += 1;
        self.fire_by_itself(name);
    }

    /// Refuses a change while this trigger, or another one of its workflow, is in a transitional state.
    pub(super) fn check_is_settled(&self, name: &str) -> Result<(), AwsError> {
        let trigger = self.trigger(name)?;
        if trigger.state.is_transitional() {
            return Err(modified(format!("Trigger {name} is being modified")));
        }
        self.check_workflow_is_settled(trigger.settings.workflow_name.as_deref(), name)
    }

    /// Refuses a change to a workflow while one of its triggers is in a transitional state.
    pub(super) fn check_workflow_is_settled(&self, workflow: Option<&str>, trigger: &str) -> Result<(), AwsError> {
        let Some(workflow) = workflow else { return Ok(()) };
        let in_transition = |other: &Trigger| {
            other.settings.workflow_name.as_deref() == Some(workflow) && other.state.is_transitional()
        };
        if self.triggers.by_name.values().any(in_transition) {
            return Err(modified(format!("Workflow {workflow} was modified while changing trigger {trigger}")));
        }
        Ok(())
    }
}

fn modified(message: String) -> AwsError {
    AwsError::modelled("ConcurrentModificationException", message)
}
