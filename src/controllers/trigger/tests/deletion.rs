//! The end of a trigger's object, whatever is the case: by exhaustion over all facts.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::ownership::{owned_by_another, undetermined};
use super::plan::{Fixture, SETTLE, at, problem, trigger};
use crate::api::FINALIZER;
use crate::api::trigger::TriggerDeletionPolicy;
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::step::Step;
use crate::controllers::trigger::calls::Call;
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;
use crate::glue::triggers::source::TriggerItem;
use crate::glue::triggers::{TriggerState, TriggerType};

/// An object with our finalizer whose deletion began at second 5; its deletion timeout is ten minutes.
fn deleted(observation: Option<Observation<TriggerItem>>) -> Fixture {
    let fixture = Fixture::scheduled(TriggerState::Activated);
    let mut fixture =
        Fixture { observation, ..fixture }.spec(|spec| spec.deletion_policy = Some(TriggerDeletionPolicy::Deactivate));
    fixture.object.metadata.finalizers = Some(vec![FINALIZER.to_owned()]);
    fixture.object.metadata.deletion_timestamp = Some(Time(at(5)));
    fixture
}

fn observations() -> Vec<Option<Observation<TriggerItem>>> {
    use TriggerState::{Activated, Activating, Created, Creating, Deactivated, Deactivating, Deleting, Updating};
    let states = [Activated, Activating, Created, Creating, Deactivated, Deactivating, Deleting, Updating];
    let states = states.into_iter().chain([TriggerState::Unknown("NEW".to_owned())]);
    let present = states.flat_map(|state| {
        [TriggerType::Scheduled, TriggerType::OnDemand, TriggerType::Event].map(|type_| trigger(type_, state.clone()))
    });
    let present = present.map(|trigger| Some(Observation::Present(TriggerItem::Trigger(trigger))));
    present.chain([None, Some(Observation::NotFound)]).collect()
}

fn every_fixture() -> Vec<Fixture> {
    let ownerships = [
        Ownership::Owned,
        owned_by_another(),
        undetermined(0),
        undetermined(100),
        Ownership::Lapsed { manager: None },
        Ownership::Lapsed { manager: Some(("a".to_owned(), "b".to_owned())) },
        Ownership::Unregistered,
    ];
    let mut all = Vec::new();
    for observation in observations() {
        for ownership in &ownerships {
            for kind in [None, Some(ErrorKind::Denied)] {
                for poll in [None, Some(ErrorKind::Denied), Some(ErrorKind::Throttled)] {
                    for (behind, backoff, without_credentials) in
                        (0..8).map(|bits| (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0))
                    {
                        all.push(Fixture {
                            ownership: ownership.clone(),
                            problem: kind.map(problem),
                            poll_problem: poll.map(problem),
                            behind,
                            backoff: backoff.then_some(Duration::from_secs(100)),
                            credentials_problem: without_credentials.then(|| problem(ErrorKind::Denied)),
                            ..deleted(observation.clone())
                        });
                    }
                }
            }
        }
    }
    all
}

#[test]
fn whatever_glue_does_the_object_is_gone_after_the_deletion_timeout() {
    let fixtures = every_fixture();
    assert!(fixtures.len() > 9_000, "{}", fixtures.len());
    for fixture in fixtures {
        // While there is time, the next pass comes in time.
        let early = Fixture { now: 300, deleting_for: Duration::from_secs(295), ..fixture.clone() };
        let step = early.settled().1;
        let is_in_time = match &step {
            Step::RequeueAfter(after) => *after <= Duration::from_secs(305) && !after.is_zero(),
            Step::RemoveFinalizer { .. } | Step::Backoff | Step::Call(Call::Deactivate) => true,
            _ => false,
        };
        assert!(is_in_time, "{step:?} {fixture:#?}");
        let late = Fixture { now: 605, deleting_for: SETTLE, ..fixture.clone() };
        let Step::RemoveFinalizer { left_behind } = late.settled().1 else { panic!("{fixture:#?}") };
        // Something may be left unless Glue showed that the trigger does not fire, or another object manages it.
        let is_at_rest = match &fixture.observation {
            Some(Observation::Present(TriggerItem::Trigger(trigger))) => {
                matches!(trigger.type_, TriggerType::OnDemand | TriggerType::Event)
                    || matches!(trigger.state, TriggerState::Created | TriggerState::Deactivated)
            }
            Some(Observation::NotFound) => true,
            _ => false,
        };
        let is_managed =
            matches!(fixture.ownership, Ownership::OwnedBy { .. } | Ownership::Lapsed { manager: Some(_) });
        assert_eq!(left_behind.is_none(), is_at_rest || is_managed, "{fixture:#?}");
    }
}

#[test]
fn a_controller_that_was_down_for_longer_than_the_timeout_tries_first() {
    let late = |deleting_for, observation| Fixture { now: 5_000, deleting_for, ..deleted(observation) };
    let active =
        || Some(Observation::Present(TriggerItem::Trigger(trigger(TriggerType::Scheduled, TriggerState::Activated))));
    assert_eq!(late(Duration::ZERO, None).settled().1, Step::RequeueAfter(SETTLE));
    assert_eq!(late(Duration::from_secs(1), active()).settled().1, Step::Call(Call::Deactivate));
    let left_behind = Some("nightly".to_owned());
    assert_eq!(late(SETTLE, active()).settled().1, Step::RemoveFinalizer { left_behind: left_behind.clone() });
    let failed = Fixture { problem: Some(problem(ErrorKind::Denied)), ..late(Duration::from_secs(1), active()) };
    assert_eq!(failed.settled().1, Step::RemoveFinalizer { left_behind }, "it has tried");
}

#[test]
fn a_replica_without_the_lease_does_nothing() {
    for fixture in every_fixture().into_iter().step_by(97) {
        let fixture = Fixture { leading: false, now: 700, deleting_for: SETTLE, ..fixture };
        assert_eq!(fixture.settled().1, Step::AwaitChange);
    }
}
