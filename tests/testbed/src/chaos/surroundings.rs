//! What is done to the API server, etcd and AWS.

use std::time::Duration;

use hyper::http::Request;
use kube_glue_double::{Double, Fault, Then};
use tokio::{sync::watch, time::sleep};

use super::{Era, Lulls, Settings, replicas::calls_are_made, report::Counts};
use crate::{control_plane::ControlPlane, error::Result};

/// The longest pause between two of them, and the calls of AWS before it: on a busy machine replicas take as long to begin
/// again.
const PAUSE: Duration = Duration::from_secs(12);
const CALLS: u64 = 100;
/// How far the double's clock jumps.
const JUMP: Duration = Duration::from_mins(5);

/// What happens from time to time.
#[derive(Debug, Clone, Copy)]
enum Incident {
    /// The API server is killed, and starts again.
    ApiServer,
    /// The same, and etcd is compacted meanwhile: watches cannot go on where they were.
    Compaction,
    /// The double's clock jumps.
    Clock,
    /// AWS takes no connection for a moment.
    Outage,
}

const INCIDENTS: &[Incident] = &[Incident::ApiServer, Incident::Compaction, Incident::Clock, Incident::Outage];

/// Longer than the controllers wait for an answer: the call takes effect when nobody waits for it any more, but within
/// what `--start-settle` allows.
const LATE: Duration = Duration::from_secs(6);

/// What happens to calls of AWS all the time, each with its probability: the operation, where it is about one.
const FAULTS: &[(Option<&str>, f64, Then)] = &[
    (Some("StartJobRun"), 0.15, Then::DropAnswerAfterWork),
    (Some("StartCrawler"), 0.15, Then::DropAnswerAfterWork),
    (Some("StartWorkflowRun"), 0.15, Then::DropAnswerAfterWork),
    (Some("ResumeWorkflowRun"), 0.15, Then::DropAnswerAfterWork),
    (Some("StartTrigger"), 0.15, Then::DropAnswerAfterWork),
    (Some("CreateConnection"), 0.15, Then::DropAnswerAfterWork),
    (Some("StartJobRun"), 0.1, Then::Delay { time: LATE }),
    (Some("StartCrawler"), 0.1, Then::Delay { time: LATE }),
    (Some("StartWorkflowRun"), 0.1, Then::Delay { time: LATE }),
    (Some("ResumeWorkflowRun"), 0.1, Then::Delay { time: LATE }),
    (Some("StartTrigger"), 0.1, Then::Delay { time: LATE }),
    (None, 0.02, Then::DropAnswerAfterWork),
    (None, 0.01, Then::DropConnectionBefore),
    (None, 0.01, Then::Http500AfterWork),
    (None, 0.01, Then::Http500),
    (None, 0.01, Then::Throttle),
    (None, 0.005, Then::ExpiredToken),
];

/// Disturbs them while there is chaos. Keeps the control plane until everything is over.
pub(super) async fn disturb(
    mut plane: ControlPlane,
    double: &Double,
    settings: &Settings,
    mut era: watch::Receiver<Era>,
    counts: &Counts,
    lulls: Lulls,
) -> Result<()> {
    let mut random = fastrand::Rng::with_seed(settings.seed);
    // An error means that the other end is gone: that it is over.
    let _ = era.wait_for(|era| *era >= Era::Chaos).await;
    double.faults().seed(settings.seed);
    let ids: Vec<_> = FAULTS
        .iter()
        .map(|(operation, probability, then)| {
            let fault = operation.map_or_else(Fault::on_any, Fault::on);
            double.faults().add(fault.probability(*probability).then(then.clone()))
        })
        .collect();
    while *era.borrow_and_update() == Era::Chaos {
        let pause = PAUSE.mul_f64(0.2 + 0.8 * random.f64());
        let quiet = async {
            calls_are_made(double, CALLS).await;
            sleep(pause).await;
            lulls.over().await;
        };
        tokio::select! {
            () = quiet => {}
            _ = era.changed() => continue,
        }
        match random.choice(INCIDENTS) {
            Some(Incident::ApiServer) => {
                plane.restart_api_server().await?;
                counts.api_server_killed();
            }
            Some(Incident::Compaction) => {
                let before = plane.compact().await?;
                plane.restart_api_server().await?;
                // Once more: what was written since is gone, too.
                plane.compact().await?;
                counts.api_server_killed();
                counts.compacted(is_gone(&plane, before.saturating_sub(1)).await);
            }
            Some(Incident::Clock) => {
                double.clock().step(JUMP);
                counts.clock_jumped();
            }
            Some(Incident::Outage) | None => {
                double.refuse_connections();
                sleep(Duration::from_secs(1)).await;
                double.accept_connections();
                counts.outage();
            }
        }
    }
    counts.faults(ids.iter().map(|id| double.faults().hits(*id)).sum());
    double.faults().clear();
    let _ = era.wait_for(|era| *era == Era::Over).await;
    Ok(())
}

/// Whether a watch from this version on is answered with 410 Gone, as the controllers' watches are.
async fn is_gone(plane: &ControlPlane, version: u64) -> bool {
    let path = format!("/apis/kube-glue.dev/v1alpha1/gluejobruns?watch=1&timeoutSeconds=1&resourceVersion={version}");
    let Ok(request) = Request::get(path).body(Vec::new()) else { return false };
    let Ok(client) = plane.client().await else { return false };
    match client.request_text(request).await {
        Ok(text) => text.contains("\"code\":410"),
        Err(kube::Error::Api(status)) => status.code == 410,
        Err(_) => false,
    }
}
