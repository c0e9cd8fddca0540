//! The account that both read: more than a page of workflows, runs in all states, and jobs, crawlers and triggers that
//! belong to no workflow.
//!
//! What a first page of workflows shows has all states and all lineage, so that what a reader misses of them is not for the
//! page alone.

use std::time::Duration;

use kube_glue_double::{
    AwsError, CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Double, JobDefinition, Outcome,
    RunScript,
};
use serde_json::{Value, json};

use crate::lineage;

/// The region of the account.
pub(crate) const REGION: &str = "eu-west-1";
/// The workflows: one page of `ListWorkflows` has 25.
const WORKFLOWS: usize = 31;
/// The jobs that no workflow starts, each with a schedule.
const JOBS_BY_SCHEDULE: usize = 5;
/// The runs of the job that has many.
const MANY_RUNS: usize = 60;
/// The runs that ended before the one that is running.
const RUNS_BEFORE: usize = 5;
/// Longer than any run that ends.
const LATER: Duration = Duration::from_mins(3);
/// Longer than all of that together.
const LONG: Duration = Duration::from_hours(1000);

/// A job of the account, and how its newest run comes to the state that its name says.
struct Job {
    definition: JobDefinition,
    /// How often it is started; only the last start is part of what the table says about states.
    starts: usize,
    then: Then,
}

/// What happens after the last start of a job.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Time passes until the run has ended.
    Wait,
    /// It is stopped.
    Stop,
    /// The run before it is stopped, when the last one has waited for too long.
    StopTheOther,
    /// Nothing.
    Leave,
}

/// Calls Glue as the people of the account do.
pub(crate) fn call(double: &Double, operation: &str, body: &Value) -> Result<Value, AwsError> {
    double.call(DEFAULT_ACCOUNT, REGION, operation, body)
}

/// Defines the account. Its clock stands still afterwards.
pub(crate) fn define(double: &Double) -> Result<(), AwsError> {
    double.clock().hold();
    let mut jobs = jobs_by_state();
    jobs.push(ending("many-runs", RunScript::succeeds(), MANY_RUNS));
    jobs.extend(lineage::jobs().into_iter().map(|definition| Job { definition, starts: 1, then: Then::Wait }));
    let others = (jobs.len()..WORKFLOWS).map(|n| ending(&format!("load-{n:02}"), RunScript::succeeds(), 0));
    jobs.extend(others.collect::<Vec<_>>());
    for job in &jobs {
        let name = &job.definition.settings.name;
        double.put_object("scripts", &format!("{name}.py"), lineage::script(name));
        double.define_job(DEFAULT_ACCOUNT, REGION, job.definition.clone());
    }
    define_crawlers(double)?;
    define_workflows(double, &jobs)?;
    define_schedules(double)?;
    define_tags(double, &jobs)?;
    start(double, &jobs)
}

/// The name of the job, and of the run's state in small letters, so that a reader of the table finds it in the output.
fn jobs_by_state() -> Vec<Job> {
    let one = |name: &str, script: RunScript, then: Then| {
        let definition = JobDefinition::new(name).max_concurrent_runs(1).queuing(true).script(script);
        Job { definition, starts: 1, then }
    };
    let two = |name: &str, script: RunScript, then: Then| Job { starts: 2, ..one(name, script, then) };
    let error = Outcome::Error("internal service error".to_owned());
    let mut running = RunScript::succeeds();
    for _ in 1..RUNS_BEFORE {
        running = running.then(Outcome::Succeeded);
    }
    let never = RunScript::never_ends;
    vec![
        one("succeeded", RunScript::succeeds(), Then::Wait),
        one("failed", RunScript::fails("no such path"), Then::Wait),
        one("error", RunScript::ends(error), Then::Wait),
        one("timeout", RunScript::ends(Outcome::Timeout), Then::Wait),
        one("stopped", never(), Then::Stop),
        two("expired", never().longest_wait(LATER), Then::StopTheOther),
        one("starting", RunScript::succeeds().starting(LONG), Then::Leave),
        Job { starts: RUNS_BEFORE + 1, ..one("running", running.then(Outcome::Never), Then::Leave) },
        two("waiting", never().longest_wait(LONG), Then::Leave),
        one("stopping", never().never_stops(), Then::Stop),
    ]
}

fn ending(name: &str, script: RunScript, starts: usize) -> Job {
    Job { definition: JobDefinition::new(name).script(script), starts, then: Then::Wait }
}

/// One that a workflow starts, and three others: of those, one crawl has ended, one has failed and one is running.
fn define_crawlers(double: &Double) -> Result<(), AwsError> {
    let failed = CrawlOutcome::Failed("no such bucket".to_owned());
    let outcomes = [
        ("raw-by-workflow", CrawlOutcome::Completed),
        ("raw-completed", CrawlOutcome::Completed),
        ("raw-failed", failed),
        ("raw-running", CrawlOutcome::Never),
    ];
    for (name, outcome) in outcomes {
        let script = CrawlScript::sequence([CrawlPlan { outcome, ..CrawlPlan::default() }]);
        double.define_crawler(DEFAULT_ACCOUNT, REGION, CrawlerSettings::new(name), script)?;
    }
    Ok(())
}

/// One workflow for each job. The last one of the first page starts a crawler, too.
fn define_workflows(double: &Double, jobs: &[Job]) -> Result<(), AwsError> {
    for (n, job) in jobs.iter().enumerate() {
        let workflow = workflow(n);
        call(double, "CreateWorkflow", &json!({"Name": workflow}))?;
        let mut actions = vec![json!({"JobName": job.definition.settings.name})];
        if n == 20 {
            actions.push(json!({"CrawlerName": "raw-by-workflow"}));
        }
        let trigger = json!({"Name": format!("{workflow}-begins"), "WorkflowName": workflow, "Type": "ON_DEMAND",
            "Actions": actions});
        call(double, "CreateTrigger", &trigger)?;
    }
    Ok(())
}

fn workflow(n: usize) -> String {
    format!("daily-{n:02}")
}

/// Jobs outside workflows, and the triggers that start them by time.
fn define_schedules(double: &Double) -> Result<(), AwsError> {
    for n in 0..JOBS_BY_SCHEDULE {
        let job = format!("nightly-{n}");
        double.define_job(DEFAULT_ACCOUNT, REGION, JobDefinition::new(&job));
        let trigger = json!({"Name": format!("{job}-by-time"), "Type": "SCHEDULED", "Schedule": "cron(15 2 * * ? *)",
            "StartOnCreation": true, "Actions": [{"JobName": job}]});
        call(double, "CreateTrigger", &trigger)?;
        call(double, "StartJobRun", &json!({"JobName": job}))?;
    }
    Ok(())
}

/// Two tags of each of the first jobs and workflows.
fn define_tags(double: &Double, jobs: &[Job]) -> Result<(), AwsError> {
    let jobs = jobs.iter().take(5).map(|job| format!("job/{}", job.definition.settings.name));
    for resource in jobs.chain((0..5).map(|n| format!("workflow/{}", workflow(n)))) {
        let arn = format!("arn:aws:glue:{REGION}:{DEFAULT_ACCOUNT}:{resource}");
        let tags = json!({"team": "orders", "stage": "production"});
        call(double, "TagResource", &json!({"ResourceArn": arn, "TagsToAdd": tags}))?;
    }
    Ok(())
}

/// Starts what the account has had of runs.
fn start(double: &Double, jobs: &[Job]) -> Result<(), AwsError> {
    let start = |job: &Job| call(double, "StartJobRun", &json!({"JobName": job.definition.settings.name}));
    let most = jobs.iter().map(|job| job.starts).max().unwrap_or_default();
    // All starts but the last of each job, and the last of those that end.
    for nth in 1..=most {
        for job in jobs.iter().filter(|job| nth < job.starts || (nth == job.starts && job.then == Then::Wait)) {
            start(job)?;
        }
        double.clock().step(LATER);
    }
    for (n, _) in jobs.iter().enumerate().filter(|(_, job)| job.starts == 0) {
        call(double, "StartWorkflowRun", &json!({"Name": workflow(n)}))?;
    }
    for crawler in ["raw-completed", "raw-failed", "raw-running"] {
        call(double, "StartCrawler", &json!({"Name": crawler}))?;
    }
    double.clock().step(LATER);
    for job in jobs.iter().filter(|job| job.then != Then::Wait) {
        let newest = start(job)?["JobRunId"].clone();
        match job.then {
            Then::Stop => stop(double, job, &newest)?,
            Then::StopTheOther => {
                double.clock().step(LATER);
                let runs = double.runs(DEFAULT_ACCOUNT, REGION, &job.definition.settings.name);
                for run in runs.iter().filter(|run| run["JobRunState"] == "RUNNING") {
                    stop(double, job, &run["Id"])?;
                }
            }
            Then::Leave | Then::Wait => {}
        }
    }
    double.clock().step(LATER);
    Ok(())
}

fn stop(double: &Double, job: &Job, run: &Value) -> Result<(), AwsError> {
    let body = json!({"JobName": job.definition.settings.name, "JobRunIds": [run]});
    call(double, "BatchStopJobRun", &body).map(drop)
}
