//! A Pod's status, from the reports of its containers.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{ContainerStateTerminated, ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus},
    apimachinery::pkg::apis::meta::v1::Time,
};
use kube::ResourceExt as _;

use super::container::Report;

const LOOPBACK: &str = "127.0.0.1";

/// `before` is the last written status. Conditions that have not changed keep their transition times.
pub(super) fn of(pod: &Pod, reports: &BTreeMap<String, Report>, before: Option<&PodStatus>) -> PodStatus {
    let spec = pod.spec.clone().unwrap_or_default();
    let statuses: Vec<ContainerStatus> = spec
        .containers
        .iter()
        .map(|container| {
            let report = reports.get(&container.name).cloned().unwrap_or_default();
            let image = container.image.clone().unwrap_or_default();
            ContainerStatus {
                name: container.name.clone(),
                image: image.clone(),
                image_id: image,
                container_id: Some(format!(
                    "process://{}/{}/{}",
                    pod.uid().unwrap_or_default(),
                    container.name,
                    report.restarts
                )),
                ready: report.ready,
                started: Some(report.started),
                restart_count: i32::try_from(report.restarts).unwrap_or(i32::MAX),
                state: Some(report.state),
                last_state: report.last_state,
                ..ContainerStatus::default()
            }
        })
        .collect();
    let all_ready = reports.values().all(|report| report.ready);
    let phase = phase(reports);
    let not_ready = match phase {
        "Succeeded" => Some("PodCompleted"),
        "Failed" => Some("PodFailed"),
        _ if all_ready => None,
        _ => Some("ContainersNotReady"),
    };
    let conditions = vec![
        condition("PodScheduled", None, before),
        condition("Initialized", None, before),
        condition("ContainersReady", not_ready, before),
        condition("Ready", not_ready, before),
    ];
    PodStatus {
        phase: Some(phase.to_owned()),
        conditions: Some(conditions),
        container_statuses: Some(statuses),
        host_ip: Some(LOOPBACK.to_owned()),
        host_ips: Some(vec![HostIP { ip: LOOPBACK.to_owned() }]),
        pod_ip: Some(LOOPBACK.to_owned()),
        pod_ips: Some(vec![PodIP { ip: LOOPBACK.to_owned() }]),
        start_time: before.and_then(|before| before.start_time.clone()).or_else(|| Some(now())),
        ..PodStatus::default()
    }
}

/// The end of a finished container.
fn end_of(report: &Report) -> Option<&ContainerStateTerminated> {
    report.state.terminated.as_ref().filter(|_| report.finished)
}

fn phase(reports: &BTreeMap<String, Report>) -> &'static str {
    if reports.values().all(|report| end_of(report).is_some()) {
        let failed = reports.values().filter_map(end_of).any(|end| end.exit_code != 0);
        return if failed { "Failed" } else { "Succeeded" };
    }
    let has_started =
        |report: &Report| report.restarts > 0 || report.last_state.is_some() || report.state.waiting.is_none();
    if reports.values().all(has_started) { "Running" } else { "Pending" }
}

/// A condition that is False for a reason, or True without one.
fn condition(name: &str, reason: Option<&str>, before: Option<&PodStatus>) -> PodCondition {
    let status = if reason.is_none() { "True" } else { "False" };
    let same = before
        .and_then(|before| before.conditions.as_ref())
        .and_then(|conditions| conditions.iter().find(|one| one.type_ == name))
        .filter(|one| one.status == status);
    PodCondition {
        type_: name.to_owned(),
        status: status.to_owned(),
        reason: reason.map(str::to_owned),
        last_transition_time: same.map_or_else(|| Some(now()), |one| one.last_transition_time.clone()),
        ..PodCondition::default()
    }
}

pub(super) fn now() -> Time {
    Time(jiff::Timestamp::now())
}
