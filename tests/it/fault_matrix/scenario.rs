//! For each operation: the state of Glue and of the objects from which the controller calls it, what brings the call
//! about, and what the object should come to.

use std::time::Duration;

use kube_glue_double::{
    CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, JobDefinition, Outcome, Role, RunScript,
    TriggerTimes,
};
use serde_json::{Value, json};

use super::site::{ObjectKind, Site};
use crate::harness::{TestEnv, access_key_data, endless, merged};

/// The limit of what happens without a fault.
const SOON: Duration = Duration::from_mins(1);
/// The Secret with a role, and the role.
const ROLE_SECRET: &str = "role";
const ROLE: &str = "arn:aws:iam::222222222222:role/etl";
const OTHER_ACCOUNT: &str = "222222222222";

/// What the controller does when it calls an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    StartRun,
    PollRun,
    PollRuns,
    StopRun,
    AskForRetries,
    StartCrawl,
    StopCrawl,
    PollCrawler,
    FindCrawl,
    EstimateCrawl,
    StartWorkflow,
    StopWorkflow,
    ResumeWorkflow,
    WaitForWorkflow,
    PollTrigger,
    ActivateTrigger,
    DeactivateTrigger,
    FireInWorkflow,
    CreateConnection,
    DescribeType,
    PollConnection,
    UpdateConnection,
    TestConnection,
    DeleteConnection,
    Tag,
    Untag,
    ReadAccount,
    AssumeRole,
    LookUpCaller,
}

impl Scenario {
    /// The scenario in which the controller calls an operation.
    pub fn of(operation: &str) -> Option<Self> {
        Some(match operation {
            "StartJobRun" => Self::StartRun,
            "GetJobRun" => Self::PollRun,
            "GetJobRuns" => Self::PollRuns,
            "BatchStopJobRun" => Self::StopRun,
            "GetJob" => Self::AskForRetries,
            "StartCrawler" => Self::StartCrawl,
            "StopCrawler" => Self::StopCrawl,
            "BatchGetCrawlers" => Self::PollCrawler,
            "ListCrawls" => Self::FindCrawl,
            "GetCrawlerMetrics" => Self::EstimateCrawl,
            "StartWorkflowRun" => Self::StartWorkflow,
            "StopWorkflowRun" => Self::StopWorkflow,
            "ResumeWorkflowRun" => Self::ResumeWorkflow,
            "GetWorkflow" => Self::WaitForWorkflow,
            "BatchGetTriggers" => Self::PollTrigger,
            "StartTrigger" => Self::ActivateTrigger,
            "StopTrigger" => Self::DeactivateTrigger,
            "GetWorkflowRuns" | "GetWorkflowRun" => Self::FireInWorkflow,
            "CreateConnection" => Self::CreateConnection,
            "DescribeConnectionType" => Self::DescribeType,
            "GetConnections" => Self::PollConnection,
            "UpdateConnection" => Self::UpdateConnection,
            "TestConnection" => Self::TestConnection,
            "BatchDeleteConnection" => Self::DeleteConnection,
            "TagResource" => Self::Tag,
            "UntagResource" => Self::Untag,
            "GetJobs" | "GetCrawlers" | "GetTriggers" | "ListWorkflows" | "BatchGetWorkflows" | "GetTags" => {
                Self::ReadAccount
            }
            "AssumeRole" => Self::AssumeRole,
            "GetCallerIdentity" => Self::LookUpCaller,
            _ => return None,
        })
    }

    pub fn kind(self) -> ObjectKind {
        match self {
            Self::StartRun
            | Self::PollRun
            | Self::PollRuns
            | Self::StopRun
            | Self::AskForRetries
            | Self::AssumeRole => ObjectKind::JobRun,
            Self::StartCrawl | Self::StopCrawl | Self::PollCrawler | Self::FindCrawl | Self::EstimateCrawl => {
                ObjectKind::CrawlerRun
            }
            Self::StartWorkflow | Self::StopWorkflow | Self::ResumeWorkflow | Self::WaitForWorkflow => {
                ObjectKind::WorkflowRun
            }
            Self::PollTrigger | Self::ActivateTrigger | Self::DeactivateTrigger | Self::FireInWorkflow => {
                ObjectKind::Trigger
            }
            Self::CreateConnection
            | Self::DescribeType
            | Self::PollConnection
            | Self::UpdateConnection
            | Self::TestConnection
            | Self::DeleteConnection
            | Self::Tag
            | Self::Untag
            | Self::LookUpCaller => ObjectKind::Connection,
            Self::ReadAccount => ObjectKind::Inventory,
        }
    }

    /// The number of objects: several runs of one job are polled by a list.
    pub fn objects(self) -> usize {
        if self == Self::PollRuns { 3 } else { 1 }
    }

    /// Whether the deletion of the object alone brings the call about.
    pub fn is_part_of_deletion(self) -> bool {
        matches!(
            self,
            Self::StopRun | Self::StopCrawl | Self::StopWorkflow | Self::DeactivateTrigger | Self::DeleteConnection
        )
    }

    /// What stands before the fault begins.
    pub async fn prepare(self, site: &Site<'_>) {
        self.define(site);
        match self {
            Self::StartRun
            | Self::AskForRetries
            | Self::StartCrawl
            | Self::FindCrawl
            | Self::EstimateCrawl
            | Self::StartWorkflow
            | Self::WaitForWorkflow
            | Self::ActivateTrigger
            | Self::CreateConnection
            | Self::DescribeType
            | Self::ReadAccount
            | Self::AssumeRole
            | Self::LookUpCaller => return,
            Self::PollRun | Self::PollRuns | Self::StopRun => site.create(json!({"jobName": "etl"})).await,
            Self::StopCrawl | Self::PollCrawler => site.create(json!({"crawlerName": "raw"})).await,
            Self::StopWorkflow | Self::ResumeWorkflow => site.create(json!({"workflowName": "daily"})).await,
            Self::PollTrigger => site.create(json!({"triggerName": "nightly"})).await,
            Self::DeactivateTrigger => {
                site.create(json!({"triggerName": "nightly", "deletionPolicy": "Deactivate"})).await;
            }
            Self::FireInWorkflow => site.create(json!({"triggerName": "refresh"})).await,
            Self::PollConnection
            | Self::UpdateConnection
            | Self::TestConnection
            | Self::DeleteConnection
            | Self::Tag => {
                site.create(jdbc(json!({}))).await;
            }
            Self::Untag => site.create(jdbc(json!({"tags": {"a": "1"}}))).await,
        }
        let is_live = |object: &Value| match self.kind() {
            ObjectKind::WorkflowRun if self == Self::ResumeWorkflow => object["status"]["phase"] == "Failed",
            ObjectKind::JobRun | ObjectKind::CrawlerRun | ObjectKind::WorkflowRun => {
                object["status"]["phase"] == "Running"
            }
            ObjectKind::Trigger | ObjectKind::Inventory => is_ready(object),
            ObjectKind::Connection => {
                is_ready(object)
                    && object["status"]["arn"].is_string()
                    && (self != Self::Untag || tags(site) == json!({"a": "1"}))
            }
        };
        let others = site.wait(SOON, is_live).await;
        assert!(others.is_empty(), "{self:?} cannot begin: {others:#?}");
    }

    fn define(self, site: &Site<'_>) {
        let double = &site.env.double;
        match self.kind() {
            ObjectKind::JobRun => {
                let script = match self {
                    Self::AskForRetries => {
                        RunScript::fails("boom").starting(Duration::ZERO).running(Duration::from_millis(300))
                    }
                    _ => endless(),
                };
                let job = JobDefinition::new("etl").max_concurrent_runs(100).script(script);
                double.define_job(DEFAULT_ACCOUNT, &site.region, job.clone());
                double.define_job(OTHER_ACCOUNT, &site.region, job);
            }
            ObjectKind::CrawlerRun => {
                // The crawl that is to be found ends by itself.
                let finds = self == Self::FindCrawl;
                let outcome = if finds { CrawlOutcome::Completed } else { CrawlOutcome::Never };
                let (running, stopping) = (Duration::from_secs(1), Duration::ZERO);
                // Glue is asked for an estimate of a crawl that runs for long.
                let elapsed = if self == Self::EstimateCrawl { Duration::from_hours(1) } else { Duration::ZERO };
                let plan = CrawlPlan { running, stopping, elapsed, outcome, ..CrawlPlan::default() };
                let script = CrawlScript::sequence([plan]);
                let settings = CrawlerSettings::new("raw");
                double.define_crawler(DEFAULT_ACCOUNT, &site.region, settings, script).expect("a crawler");
                // An earlier crawl, so that the list has an order.
                site.call("StartCrawler", &json!({"Name": "raw"}));
                site.call("StopCrawler", &json!({"Name": "raw"}));
            }
            ObjectKind::Trigger => {
                let times = TriggerTimes {
                    activating: Duration::ZERO,
                    deactivating: Duration::ZERO,
                    deleting: Duration::ZERO,
                    ..TriggerTimes::default()
                };
                // Long enough that the runs are polled.
                let script = RunScript::succeeds().starting(Duration::ZERO).running(Duration::from_secs(10));
                double.set_trigger_times(DEFAULT_ACCOUNT, &site.region, times);
                double.define_job(
                    DEFAULT_ACCOUNT,
                    &site.region,
                    JobDefinition::new("etl").max_concurrent_runs(100).script(script),
                );
                let nightly = json!({"Name": "nightly", "Type": "SCHEDULED", "Schedule": "cron(15 12 1 1 ? 2099)",
                    "Actions": [{"JobName": "etl"}]});
                site.call("CreateTrigger", &nightly);
                site.call("CreateWorkflow", &json!({"Name": "daily"}));
                let refresh = json!({"Name": "refresh", "Type": "ON_DEMAND", "WorkflowName": "daily",
                    "Actions": [{"JobName": "etl"}]});
                site.call("CreateTrigger", &refresh);
                if self == Self::FireInWorkflow {
                    // Earlier runs, so that the lists have an order.
                    site.call("StartWorkflowRun", &json!({"Name": "daily"}));
                    site.call("StartWorkflowRun", &json!({"Name": "daily"}));
                }
            }
            ObjectKind::WorkflowRun => {
                // The run that is to be resumed fails the first time.
                let script = match self {
                    Self::ResumeWorkflow => RunScript::fails("boom").then(Outcome::Never),
                    _ => RunScript::never_ends(),
                };
                let (at_once, soon) = (Duration::ZERO, Duration::from_millis(300));
                let script = script.starting(at_once).running(soon).stopping(soon).slot_lag(at_once);
                let job = JobDefinition::new("etl").max_concurrent_runs(100).script(script);
                double.define_job(DEFAULT_ACCOUNT, &site.region, job);
                site.call("CreateWorkflow", &json!({"Name": "daily", "MaxConcurrentRuns": 1}));
                let begins = json!({"Name": "begins", "Type": "ON_DEMAND", "WorkflowName": "daily",
                    "Actions": [{"JobName": "etl"}]});
                site.call("CreateTrigger", &begins);
                if self == Self::WaitForWorkflow {
                    site.call("StartWorkflowRun", &json!({"Name": "daily"}));
                }
            }
            ObjectKind::Connection => {}
            ObjectKind::Inventory => {
                double.define_job(DEFAULT_ACCOUNT, &site.region, JobDefinition::new("etl"));
                let settings = CrawlerSettings::new("raw");
                double
                    .define_crawler(DEFAULT_ACCOUNT, &site.region, settings, CrawlScript::default())
                    .expect("a crawler");
                site.call("CreateWorkflow", &json!({"Name": "daily"}));
                let begins = json!({"Name": "begins", "Type": "ON_DEMAND", "WorkflowName": "daily",
                    "Actions": [{"JobName": "etl"}]});
                site.call("CreateTrigger", &begins);
            }
        }
    }

    /// What brings the call about, once the fault has begun.
    pub async fn act(self, site: &Site<'_>) {
        match self {
            Self::StartRun | Self::AskForRetries => site.create(json!({"jobName": "etl"})).await,
            Self::AssumeRole => {
                site.create(json!({"jobName": "etl", "credentials": {"secretName": ROLE_SECRET}})).await;
            }
            Self::PollRun | Self::PollRuns => {
                let runs = site.env.double.runs(DEFAULT_ACCOUNT, &site.region, "etl");
                let ids: Vec<_> = runs.iter().map(|run| run["Id"].clone()).collect();
                site.call("BatchStopJobRun", &json!({"JobName": "etl", "JobRunIds": ids}));
            }
            Self::StopRun | Self::StopCrawl | Self::StopWorkflow => site.patch(json!({"stop": true})).await,
            Self::StartWorkflow | Self::WaitForWorkflow => site.create(json!({"workflowName": "daily"})).await,
            Self::ResumeWorkflow => site.patch(json!({"resume": "again"})).await,
            Self::StartCrawl | Self::FindCrawl | Self::EstimateCrawl => {
                site.create(json!({"crawlerName": "raw"})).await;
            }
            Self::PollCrawler => drop(site.call("StopCrawler", &json!({"Name": "raw"}))),
            Self::PollTrigger => drop(site.call("StopTrigger", &json!({"Name": "nightly"}))),
            Self::ActivateTrigger => site.create(json!({"triggerName": "nightly"})).await,
            Self::DeactivateTrigger => site.patch(json!({"state": "Deactivated"})).await,
            Self::FireInWorkflow => site.patch(json!({"fire": "once"})).await,
            Self::CreateConnection => site.create(jdbc(json!({}))).await,
            Self::DescribeType => site.create(postgresql()).await,
            Self::ReadAccount => site.create(json!({"includeTags": true})).await,
            Self::LookUpCaller => site.create(jdbc(json!({"tags": {"a": "1"}}))).await,
            Self::PollConnection => {
                let by_hand = json!({"Name": site.names[0], "ConnectionType": "JDBC", "Description": "by hand",
                    "ConnectionProperties": properties()});
                site.call("UpdateConnection", &json!({"Name": site.names[0], "ConnectionInput": by_hand}));
            }
            Self::UpdateConnection => site.patch(json!({"description": "new"})).await,
            Self::TestConnection => site.patch(json!({"test": {}})).await,
            Self::DeleteConnection => site.delete().await,
            Self::Tag => site.patch(json!({"tags": {"a": "1"}})).await,
            Self::Untag => site.patch(json!({"tags": {"a": null}})).await,
        }
    }

    /// Whether the object, and Glue, are as they should be in the end.
    pub fn is_well(self, site: &Site<'_>, object: &Value) -> bool {
        let status = &object["status"];
        let input = || site.env.double.connection_input(DEFAULT_ACCOUNT, &site.region, &site.names[0]);
        match self {
            // An estimate is nothing that a crawl waits for.
            Self::StartRun | Self::StartCrawl | Self::EstimateCrawl | Self::StartWorkflow | Self::AssumeRole => {
                status["phase"] == "Running"
            }
            Self::ResumeWorkflow => status["phase"] == "Running" && status["previousRunId"].is_string(),
            Self::WaitForWorkflow => status["phase"] == "Waiting",
            Self::PollRun
            | Self::PollRuns
            | Self::StopRun
            | Self::StopCrawl
            | Self::StopWorkflow
            | Self::PollCrawler => status["phase"] == "Stopped",
            Self::FindCrawl => status["phase"] == "Succeeded",
            Self::AskForRetries => status["phase"] == "Failed",
            Self::PollTrigger | Self::ActivateTrigger => is_ready(object) && trigger_state(site) == "ACTIVATED",
            Self::DeactivateTrigger => is_ready(object) && trigger_state(site) == "DEACTIVATED",
            Self::FireInWorkflow => {
                status["lastFiring"]["value"] == "once" && status["lastFiring"]["endedAt"].is_string()
            }
            // A description is nothing that a connection waits for.
            Self::CreateConnection | Self::DescribeType => is_ready(object) && input().is_some(),
            Self::PollConnection => is_ready(object) && input().is_some_and(|input| input["Description"].is_null()),
            Self::UpdateConnection => is_ready(object) && input().is_some_and(|input| input["Description"] == "new"),
            Self::TestConnection => is_ready(object) && status["lastTest"]["result"] == "Succeeded",
            Self::DeleteConnection => object.is_null() && input().is_none(),
            Self::Tag | Self::LookUpCaller => is_ready(object) && tags(site) == json!({"a": "1"}),
            Self::Untag => is_ready(object) && tags(site) == json!({}),
            Self::ReadAccount => is_ready(object) && status["items"].as_array().is_some_and(|items| items.len() == 4),
        }
    }

    /// How many runs Glue has for this cell, where each object may have one.
    pub fn starts(self, site: &Site<'_>) -> Option<usize> {
        let account = match self {
            Self::AssumeRole => OTHER_ACCOUNT,
            _ if self.kind() == ObjectKind::JobRun || self == Self::StartWorkflow => DEFAULT_ACCOUNT,
            _ => return None,
        };
        Some(site.env.double.runs(account, &site.region, "etl").len())
    }
}

/// Writes the Secrets and roles that scenarios need.
pub async fn set_up(env: &TestEnv) {
    env.double.define_role(Role::new(ROLE).trusts(DEFAULT_ACCOUNT));
    let keys = access_key_data(&env.key.id, &env.key.secret);
    env.put_secret(ROLE_SECRET, &[&keys[..], &[("AWS_ROLE_ARN", ROLE)]].concat()).await;
}

fn properties() -> Value {
    json!({"JDBC_CONNECTION_URL": "jdbc:postgresql://db.example.com:5432/orders", "SECRET_ID": "orders/db"})
}

/// A connection of a type that Glue is asked about.
fn postgresql() -> Value {
    json!({
        "connectionType": "POSTGRESQL", "properties": {"HOST": "db", "PORT": "5432", "DATABASE": "orders"},
        "authentication": {"type": "BASIC", "secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"},
    })
}

fn jdbc(spec: Value) -> Value {
    merged(json!({"connectionType": "JDBC", "properties": properties()}), spec)
}

/// Whether the object is Ready for its current generation.
fn is_ready(object: &Value) -> bool {
    let is_true = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
        && object["status"]["conditions"].as_array().is_some_and(|conditions| conditions.iter().any(is_true))
}

fn trigger_state(site: &Site<'_>) -> String {
    let trigger = site.call("GetTrigger", &json!({"Name": "nightly"}));
    trigger["Trigger"]["State"].as_str().unwrap_or_default().to_owned()
}

fn tags(site: &Site<'_>) -> Value {
    let arn = format!("arn:aws:glue:{}:{DEFAULT_ACCOUNT}:connection/{}", site.region, site.names[0]);
    let answer = site.env.double.call(DEFAULT_ACCOUNT, &site.region, "GetTags", &json!({"ResourceArn": arn}));
    answer.map_or(Value::Null, |answer| answer["Tags"].clone())
}
