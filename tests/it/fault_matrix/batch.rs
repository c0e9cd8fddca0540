//! Many cells at once: one controller and one namespace, each cell in a region of its own. All cells go through the
//! phases together.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use kube_glue::controllers::runtime::reason::{Reason, Severity};
use serde_json::Value;
use tokio::time::{interval, timeout};

use super::faults::{AWS_TIMEOUT, Fault};
use super::scenario::{self, Scenario};
use super::site::Site;
use super::{Cell, Stage};
use crate::harness::{TestEnv, WAIT_TIMEOUT};

/// Flags of the controller. Starts are settled soon.
const FLAGS: &[(&str, &str)] = &[
    ("--start-settle", "8s"),
    ("--poll-interval", "500ms"),
    ("--leader-election", "false"),
    // The largest answers would fill the memory with logs.
    ("--log", "info,kube_glue=trace"),
];
/// `--deletion-timeout` in [`Stage::Deleting`].
const DELETION_TIMEOUT: Duration = Duration::from_secs(6);
/// How long an object may take to meet its fault.
const HIT_LIMIT: Duration = Duration::from_mins(1);
/// How long an object may be silent about its fault.
const REPORT_LIMIT: Duration = Duration::from_mins(1);
/// How long an object may take to be well once the fault has ended: a pause after failures may have grown to half a
/// minute.
const RECOVERY_LIMIT: Duration = Duration::from_secs(100);
/// The same after [`Fault::Lie`]: a stop that had no effect is sent again after a minute.
const RECOVERY_LIMIT_AFTER_LIE: Duration = Duration::from_secs(150);
/// How long after the deletion timeout an object may be there: a call in flight, and the next look at it.
const DELETION_SLACK: Duration = Duration::from_secs(20);

/// How often the controller's metrics are read while a change of them is awaited.
const READ_METRICS_AGAIN: Duration = Duration::from_millis(500);

/// What a batch found: violations by cell.
pub type Violations = BTreeMap<Cell, Vec<String>>;

struct Batch<'e> {
    env: &'e TestEnv,
    cells: Vec<(Cell, Scenario, Site<'e>)>,
    violations: Violations,
}

/// Runs cells of one stage in an environment of their own. Cells of [`Fault::ConnectionRefused`] are not mixed with
/// others.
pub async fn run(name: &str, stage: Stage, cells: &[Cell]) -> Violations {
    let mut env = TestEnv::with_credentials(name).await;
    env.set_flags(FLAGS);
    env.set_flags(&[("--aws-timeout", &format!("{}s", AWS_TIMEOUT.as_secs()))]);
    if stage == Stage::Deleting {
        env.set_flags(&[("--deletion-timeout", &format!("{}s", DELETION_TIMEOUT.as_secs()))]);
    }
    scenario::set_up(&env).await;
    env.start_controller();
    let site = |(number, cell): (usize, &Cell)| {
        let scenario = Scenario::of(&cell.operation).expect("a scenario");
        let names = (0..scenario.objects()).map(|object| format!("cell-{number}-{object}")).collect();
        let region = format!("eu-test-{number}");
        (cell.clone(), scenario, Site { env: &env, region, kind: scenario.kind(), names })
    };
    let cells = cells.iter().enumerate().map(site).collect();
    let mut batch = Batch { env: &env, cells, violations: Violations::new() };
    match stage {
        Stage::Running => batch.run_live().await,
        Stage::Deleting => batch.run_deletion().await,
    }
    if !batch.violations.is_empty() {
        eprintln!("{}", env.log_tail());
    }
    batch.violations
}

impl Batch<'_> {
    async fn run_live(&mut self) {
        self.prepare().await;
        let hits = self.begin_faults();
        self.act(|_| true).await;
        self.check_hits(hits).await;
        let silent = join_all(self.cells.iter().map(|(cell, scenario, site)| async move {
            let is_silent = |object: &Value| scenario.is_well(site, object) || reports(object, cell);
            site.wait(REPORT_LIMIT, is_silent).await
        }));
        let silent = silent.await;
        self.report(silent, "it is not well and does not say why, while the fault lasts");
        self.end_faults();
        let unwell = join_all(self.cells.iter().map(|(cell, scenario, site)| async move {
            let limit = if cell.fault == Fault::Lie { RECOVERY_LIMIT_AFTER_LIE } else { RECOVERY_LIMIT };
            site.wait(limit, |object| scenario.is_well(site, object)).await
        }));
        let unwell = unwell.await;
        self.report(unwell, "it is not well after the end of the fault");
        for (cell, scenario, site) in &self.cells {
            let starts = scenario.starts(site);
            if let Some(starts) = starts.filter(|starts| *starts > site.names.len()) {
                let violation = format!("Glue has {starts} runs of {} objects", site.names.len());
                self.violations.entry(cell.clone()).or_default().push(violation);
            }
        }
        let left = join_all(self.cells.iter().map(|(_, _, site)| async move {
            site.delete().await;
            site.wait(RECOVERY_LIMIT, Value::is_null).await
        }));
        let left = left.await;
        self.report(left, "it cannot be deleted after the end of the fault");
    }

    async fn run_deletion(&mut self) {
        self.prepare().await;
        let hits = self.begin_faults();
        let is_before = |scenario: Scenario| !scenario.is_part_of_deletion();
        self.act(is_before).await;
        let parts: Vec<_> = self.cells.iter().map(|(_, scenario, _)| scenario.is_part_of_deletion()).collect();
        self.check_hits_of(hits, |number| !parts[number]).await;
        let is_gone = self.env.request_namespace_deletion().await;
        let limit = DELETION_TIMEOUT + DELETION_SLACK;
        let left = join_all(self.cells.iter().map(|(_, _, site)| async move {
            // The namespace's deletion deletes the objects kind by kind: the time of each counts from its own deletion.
            let is_being_deleted =
                |object: &Value| object.is_null() || object["metadata"]["deletionTimestamp"].is_string();
            let forgotten = site.wait(WAIT_TIMEOUT, is_being_deleted).await;
            assert!(forgotten.is_empty(), "the namespace's deletion does not delete {forgotten:?}");
            site.wait(limit, Value::is_null).await
        }));
        let left = left.await;
        self.check_hits_of(hits, |number| parts[number]).await;
        self.report(left, "it is not deleted within the deletion timeout, while the fault lasts");
        self.end_faults();
        // Otherwise the objects that are left keep it.
        if self.violations.is_empty() && timeout(RECOVERY_LIMIT, is_gone).await.is_err() {
            let first = self.cells[0].0.clone();
            self.violations.entry(first).or_default().push("the namespace of the batch is not deleted".to_owned());
        }
    }

    async fn prepare(&self) {
        join_all(self.cells.iter().map(|(_, scenario, site)| scenario.prepare(site))).await;
    }

    async fn act(&self, which: impl Fn(Scenario) -> bool) {
        let cells = self.cells.iter().filter(|(_, scenario, _)| which(*scenario));
        join_all(cells.map(|(_, scenario, site)| scenario.act(site))).await;
    }

    /// Returns the number of the last request before the faults.
    fn begin_faults(&self) -> u64 {
        let double = &self.env.double;
        let last = double.requests().all().last().map_or(0, |request| request.sequence);
        for (cell, _, site) in &self.cells {
            match cell.fault.effect(&cell.operation) {
                Some(effect) => {
                    let rule = kube_glue_double::Fault::on(&cell.operation).region(&site.region).then(effect);
                    double.faults().add(rule);
                }
                None => double.refuse_connections(),
            }
        }
        last
    }

    fn end_faults(&self) {
        self.env.double.faults().clear();
        self.env.double.accept_connections();
    }

    async fn check_hits(&mut self, before: u64) {
        self.check_hits_of(before, |_| true).await;
    }

    /// A cell whose fault was not met proves nothing: that is a violation.
    async fn check_hits_of(&mut self, before: u64, which: impl Fn(usize) -> bool) {
        let hits = join_all(self.cells.iter().enumerate().map(|(number, (cell, _, site))| {
            let (env, is_checked) = (self.env, which(number));
            async move { !is_checked || is_hit(env, cell, site, before).await }
        }));
        let hits = hits.await;
        for ((cell, _, _), is_hit) in self.cells.iter().zip(hits) {
            if !is_hit {
                let counts = self.env.double.requests().counts();
                let called = counts.get(&cell.operation).copied().unwrap_or(0);
                let violation = format!("the fault was never hit; the operation was called {called} times in all");
                self.violations.entry(cell.clone()).or_default().push(violation);
            }
        }
    }

    fn report(&mut self, left: Vec<Vec<Value>>, what: &str) {
        for ((cell, _, _), objects) in self.cells.iter().zip(left) {
            let violations = objects.iter().map(|object| format!("{what}: {}", summary(object)));
            let all: Vec<_> = violations.collect();
            if !all.is_empty() {
                self.violations.entry(cell.clone()).or_default().extend(all);
            }
        }
    }
}

/// Waits until a client met the cell's fault.
async fn is_hit(env: &TestEnv, cell: &Cell, site: &Site<'_>, before: u64) -> bool {
    if cell.fault == Fault::ConnectionRefused {
        return refused_connections(env).await;
    }
    let requests = env.double.requests();
    let met = requests.wait_until(|requests| {
        let calls = requests.of(&cell.operation).region(&site.region).after(before);
        calls.iter().any(|request| cell.fault.was_met_by(request))
    });
    timeout(HIT_LIMIT, met).await.is_ok()
}

/// Whether the controller counted a call that it could not send. The double has no record of it.
async fn refused_connections(env: &TestEnv) -> bool {
    let counted = async {
        let mut timer = interval(READ_METRICS_AGAIN);
        loop {
            timer.tick().await;
            let metrics = env.metrics().await;
            if metrics.lines().any(|line| line.starts_with("kube_glue_aws_calls_total") && line.contains("NotSent")) {
                return;
            }
        }
    };
    timeout(HIT_LIMIT, counted).await.is_ok()
}

/// Whether a condition of the object says what is the matter: a reason that stands for trouble, and a message that names
/// the operation, where the fault is its failure. `AnswerUnclear` says it of a start.
fn reports(object: &Value, cell: &Cell) -> bool {
    let conditions = object["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().any(|condition| {
        let reason = condition["reason"].as_str().and_then(Reason::parse);
        let is_trouble = reason.is_some_and(|reason| {
            reason.severity() == Severity::Warning
                || matches!(reason, Reason::Conflict | Reason::Unknown | Reason::InProgress)
                // Glue may take a minute for a test.
                || (reason == Reason::Testing && cell.fault == Fault::Slow)
                // Nobody can know better before a minute has passed without an effect.
                || (matches!(reason, Reason::StopRequested | Reason::Activating | Reason::Deactivating)
                    && cell.fault == Fault::Lie)
        });
        let message = condition["message"].as_str().unwrap_or_default();
        let says_it = matches!(reason, Some(Reason::AnswerUnclear | Reason::Testing));
        let is_named = says_it || message.contains(&cell.operation);
        is_trouble && !message.is_empty() && (is_named || !cell.fault.names_operation())
    })
}

/// What a reader of a violation needs of an object.
fn summary(object: &Value) -> String {
    if object.is_null() {
        return "the object is gone".to_owned();
    }
    let status = &object["status"];
    let conditions = status["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let conditions = conditions.iter().map(|condition| {
        let text = |member: &str| condition[member].as_str().unwrap_or_default();
        format!("{}={} {}: {}", text("type"), text("status"), text("reason"), text("message"))
    });
    let conditions: Vec<_> = conditions.collect();
    format!("{} phase {} [{}]", object["metadata"]["name"], status["phase"], conditions.join("; "))
}
