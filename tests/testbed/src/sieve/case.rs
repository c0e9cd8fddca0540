//! One run of a life, with its own namespace, double and controllers.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kube::Client;
use kube_glue_double::{Double, Fault, Request, Then};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    plan::{Kill, Plan, When},
    tap::Disturbance,
    trace::{Action, Entry, Trace, changes_something},
};
use crate::{
    control_plane::ControlPlane,
    error::{Error, Result},
    lives::{
        Kind, Life,
        objects::Objects,
        outcome::Outcome,
        site::{Glue, Site},
    },
    relay::Relay,
    replica::{Replica, Setup},
};

/// How long each wait of a life may take. A start that is not known to have been made is repeated after
/// `--start-settle`, and pauses after failures grow.
const LIMIT: Duration = Duration::from_mins(3);
/// How long the end may take to look like the undisturbed one, on a machine that is busy with others.
const SETTLES_WITHIN: Duration = Duration::from_mins(2);
/// How long an undisturbed one may take to stay as it is.
const RESTS_WITHIN: Duration = Duration::from_secs(15);
/// How long an undisturbed end must stay as it is.
const QUIET: Duration = Duration::from_secs(1);
/// How long a call that is held takes to have done its work.
const WORK: Duration = Duration::from_millis(20);
/// When a late call takes place at the latest, after the kill. Otherwise as soon as the next controller has looked for what
/// became of it. Both are within the settle time.
const LATE: Duration = Duration::from_secs(5);

/// The flags of the controllers. Starts are settled soon.
const FLAGS: &[(&str, &str)] = &[
    ("--http-address", "127.0.0.1:0"),
    ("--log", "warn"),
    ("--leader-election", "false"),
    ("--poll-interval", "300ms"),
    ("--poll-calls-per-minute", "60000"),
    ("--start-settle", "8s"),
    ("--aws-timeout", "3s"),
    ("--deletion-timeout", "40s"),
];

/// What all runs share.
pub(super) struct Stage {
    pub(super) plane: ControlPlane,
    pub(super) client: Client,
    pub(super) objects: Objects,
    pub(super) relay: Relay,
    pub(super) program: std::path::PathBuf,
    pub(super) number: AtomicUsize,
    /// The guards that are taken away from the controller where it is disturbed.
    pub(super) without: Vec<String>,
}

/// What came of a run.
pub(super) struct Ran {
    pub(super) outcome: Outcome,
    pub(super) trace: Trace,
    /// Whether the plan came to pass.
    pub(super) is_met: bool,
    pub(super) kills: usize,
    /// Why the life did not come to its end, or how its end differs.
    pub(super) problems: Vec<String>,
}

impl Stage {
    /// Lets an object live, disturbed by the plan if there is one. `reference` is the undisturbed end.
    pub(super) async fn run(
        &self,
        kind: &'static Kind,
        life: &Life,
        plan: Option<Plan>,
        reference: Option<&Outcome>,
    ) -> Result<Ran> {
        let name = format!("sieve-{}", self.number.fetch_add(1, Ordering::Relaxed));
        let double =
            Double::start().await.map_err(|error| Error::io("starting the double")(std::io::Error::other(error)))?;
        double.clock().hold();
        let site = Site {
            client: self.client.clone(),
            objects: &self.objects,
            kind,
            namespace: name.clone(),
            glue: Glue { double: double.clone(), region: "eu-west-1".to_owned() },
            clock_is_held: true,
            limit: LIMIT,
        };
        site.prepare(life).await?;
        // Without the guards there would be no reference.
        let without = if plan.is_some() { self.without.as_slice() } else { &[] };
        let disturbance = Disturbance::new(kind.plural, plan);
        let mut around = JoinSet::new();
        if let Some(kill) = disturbance.first_kill().cloned() {
            around.spawn(kill_at_call(double.clone(), kill, Arc::clone(&disturbance)));
        }
        let lived = async {
            let lived = site.live(life).await;
            let ended = lived.as_ref().map(|uids| (uids.clone(), site.outcome(uids)));
            match ended {
                Ok((uids, _)) => {
                    let limit = if reference.is_some() { SETTLES_WITHIN } else { RESTS_WITHIN };
                    Ok(site.settle(&uids, reference, QUIET, limit).await)
                }
                Err(stuck) => Err(stuck.clone()),
            }
        };
        let log = self.plane.folder().join(format!("{name}.log"));
        let lived = tokio::select! {
            lived = lived => lived,
            error = self.keep_running(&name, &double, &disturbance, without, &log) => return Err(error),
        };
        let mut problems = Vec::new();
        let outcome = match lived {
            Ok(outcome) => outcome,
            Err(stuck) => {
                problems.push(format!("{}; the object: {}", stuck.at, stuck.object["status"]));
                site.outcome(&[])
            }
        };
        if let (Some(reference), true) = (reference, problems.is_empty()) {
            problems.extend(outcome.differences(reference));
        }
        if std::fs::read_to_string(&log).unwrap_or_default().contains("panicked at") {
            problems.push(format!("the controller panicked: see {}", log.display()));
        }
        if problems.is_empty() {
            let _ = std::fs::remove_file(&log);
        }
        let (is_met, kills) = disturbance.met();
        Ok(Ran { outcome, trace: trace(&disturbance, &double), is_met, kills, problems })
    }

    /// Runs one controller after the other. Returns when one cannot be started.
    async fn keep_running(
        &self,
        name: &str,
        double: &Double,
        disturbance: &Arc<Disturbance>,
        without: &[String],
        log: &Path,
    ) -> Error {
        for epoch in 0.. {
            let admitted = format!("{name}-{epoch}");
            let url = self.relay.admit(&admitted, disturbance.next());
            let kubeconfig = self.plane.folder().join(format!("kubeconfig-{name}"));
            let written = self.plane.cluster().at(Some(url)).write_kubeconfig(&kubeconfig, &json!({}), name);
            let mut setup = Setup {
                program: self.program.clone(),
                flags: FLAGS.iter().map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())).collect(),
                kubeconfig,
                env: vec![
                    ("AWS_ENDPOINT_URL".to_owned(), double.url()),
                    ("AWS_REGION".to_owned(), "eu-west-1".to_owned()),
                    ("FAILPOINTS".to_owned(), crate::guards::taken_away(without).collect::<Vec<_>>().join(";")),
                ],
                log: log.to_path_buf(),
            };
            setup.flag("--namespaces", name);
            setup.flag("--lease-namespace", name);
            let started = written.and_then(|()| Replica::start(&setup));
            let ended = match started {
                Ok(mut replica) => {
                    disturbance.runs_as(replica.process());
                    replica.ended().await
                }
                Err(error) => Err(error),
            };
            self.relay.dismiss(&admitted);
            if let Err(error) = ended {
                return error;
            }
        }
        Error::io("running controllers")(std::io::Error::other("too many"))
    }
}

/// Kills the controller when the double has received the call.
async fn kill_at_call(double: Double, kill: Kill, disturbance: Arc<Disturbance>) {
    let Action::Call(operation, nth) = kill.action else { return };
    let then = if kill.when == When::After { Then::HoldAnswer } else { Then::Hold };
    let fault = double.faults().add(Fault::on(&operation).nth(nth).then(then));
    double.requests().wait_for_count(&operation, nth).await;
    if kill.when == When::After {
        sleep(WORK).await;
    }
    disturbance.kill();
    let until_now = double.requests().total();
    // The call stays held.
    double.faults().remove(fault);
    if kill.when == When::Late {
        let looked = async {
            let is_look = |request: &Request| {
                let call = &request.call;
                call.service == "glue" && !changes_something(&call.operation) && request.answer().is_some()
            };
            while double.requests().all().after(until_now).matching(is_look).count() == 0 {
                sleep(WORK).await;
            }
        };
        let _ = timeout(LATE, looked).await;
        double.faults().release();
    }
}

/// What the controller saw and did, in order.
fn trace(disturbance: &Disturbance, double: &Double) -> Trace {
    let mut entries = disturbance.entries();
    let requests = double.requests().all();
    let mut counts = std::collections::HashMap::<String, u64>::new();
    for request in requests.iter().filter(|request| changes_something(&request.call.operation)) {
        let operation = request.call.operation.to_string();
        let count = counts.entry(operation.clone()).or_default();
        *count += 1;
        entries.push((request.received, Entry::Acted(Action::Call(operation, *count))));
    }
    entries.sort_by_key(|(at, _)| *at);
    Trace(entries.into_iter().map(|(_, entry)| entry).collect())
}
