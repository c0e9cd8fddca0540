//! Nothing that a Secret contains, or that STS or Glue answers, panics: neither when it is read, nor in what is made of it.
//!
//! Each property is tried with [`CASES`] inputs, those of Glue with [`ANSWERS`]. An input is an answer, or a Secret, with members that are right, missing,
//! of another type, or filled with any text.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::calls::make_all_calls;
use super::fixture::{Answers, block_on, client, identity, session};
use crate::api::credentials::Credentials;
use crate::glue::aws::Glue;
use crate::glue::identity::{ResolveInput, Rules, SecretData, Sensitive, resolve};
use crate::glue::job_runs::StartJobRun;
use crate::glue::schedule::Schedule;

/// How many inputs each property is tried with.
const CASES: u32 = 400;
/// How many answers each call to Glue gets: every call of the adapter.
const ANSWERS: u32 = 50;

/// Makes every call, and what a status and the log have of the answers. Returns what is wrong with the errors.
async fn defects(glue: &Glue, status: u16) -> Vec<String> {
    let failed = make_all_calls(glue).await;
    for trigger in glue.triggers(&["etl".to_owned()]).await.unwrap_or_default() {
        let schedule = trigger.schedule.as_deref().and_then(Schedule::parse);
        let _ = schedule.map(|schedule| (schedule.describe(), schedule.next_after(jiff::Timestamp::UNIX_EPOCH)));
    }
    glue.inner.signer.look_up_caller().await;
    let _ = (glue.caller_identity(), glue.account(), format!("{glue:?}"));
    failed.iter().filter_map(|failed| failed.defect(status)).collect()
}

/// Text of any kind, with what breaks headers, lines, XML and JSON.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[\\x00-\\x1f\\x7f-\\xff]{1,8}",
        "AKIA[A-Z0-9]{4}\\n",
        Just(String::new())
    ]
}

fn expiration() -> impl Strategy<Value = String> {
    let year = prop_oneof![Just(1), Just(1970), 2024..2200_u32, Just(9999)];
    prop_oneof![year.prop_map(|year| format!("{year:04}-01-01T00:00:00Z")), text()]
}

/// The members of Glue's answers.
const MEMBERS: [&str; 54] = [
    "JobRun",
    "JobRuns",
    "Job",
    "Id",
    "JobRunState",
    "Attempt",
    "PreviousRunId",
    "StartedOn",
    "CompletedOn",
    "ErrorMessage",
    "Arguments",
    "ExecutionTime",
    "DPUSeconds",
    "WorkerType",
    "NumberOfWorkers",
    "Timeout",
    "StateDetail",
    "Crawlers",
    "Crawls",
    "CrawlId",
    "State",
    "StartTime",
    "EndTime",
    "Summary",
    "LastCrawl",
    "Triggers",
    "Name",
    "Type",
    "Schedule",
    "Actions",
    "Predicate",
    "ConnectionList",
    "ConnectionProperties",
    "StatusReason",
    "CreationTime",
    "Run",
    "Runs",
    "WorkflowRunId",
    "Errors",
    "Command",
    "DefaultArguments",
    "Workflows",
    "Graph",
    "Nodes",
    "Statistics",
    "Tags",
    "Jobs",
    "logStreams",
    "logStreamName",
    "events",
    "timestamp",
    "message",
    "nextForwardToken",
    "__type",
];

/// An answer of Glue with members that exist, filled with anything.
fn answer() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop_oneof![Just("FAILED"), Just("RUNNING"), Just("a/uid/0"), Just("cron(0 0 30 2 ? *)"), Just("SCHEDULED")]
            .prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let members = prop::collection::vec((prop::sample::select(&MEMBERS[..]), inner.clone()), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::from(members.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// The answer to a batch that refuses its items, for any reason.
fn refused_items() -> impl Strategy<Value = Value> {
    let reason = (prop::option::of(text()), prop::option::of(text()), any::<bool>());
    reason.prop_map(|(code, message, is_stop)| {
        let reason = json!({"ErrorCode": code, "ErrorMessage": message});
        if is_stop {
            json!({"Errors": [{"JobName": "etl", "JobRunId": "jr_1", "ErrorDetail": reason}]})
        } else {
            json!({"Errors": {"db": reason}})
        }
    })
}

const KEYS: [&str; 14] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_EXTERNAL_ID",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SOURCE_IDENTITY",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_GLUE",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_S3",
    "other",
];

/// The value of a key: right, any text, or bytes that are no text.
fn value(key: &str) -> BoxedStrategy<Vec<u8>> {
    let right = match key {
        "AWS_REGION" => "eu-west-1",
        "AWS_ROLE_ARN" => "arn:aws:iam::222222222222:role/etl",
        key if key.starts_with("AWS_ENDPOINT") => "https://glue.example.com",
        _ => "AKIA1TENANT",
    };
    prop_oneof![
        4 => Just(right.as_bytes().to_vec()),
        2 => text().prop_map(String::into_bytes),
        1 => "[\\x21-\\xff]{1,20}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
    .boxed()
}

fn secret() -> impl Strategy<Value = SecretData> {
    let entries: Vec<_> = KEYS
        .iter()
        .map(|key| {
            let weight = if key.contains("ACCESS_KEY") { 0.95 } else { 0.3 };
            prop::option::weighted(weight, value(key)).prop_map(move |value| Some(((*key).to_owned(), value?.into())))
        })
        .collect();
    entries.prop_map(|entries| entries.into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn any_secret_is_taken(data in secret(), namespace in "[a-z]{1,63}") {
        let rules = Rules { endpoints: vec!["*=glue.example.com".parse().unwrap()], ..Rules::default() };
        let credentials = Credentials::default();
        let input = ResolveInput { namespace: &namespace, secret: Some(&data), ..ResolveInput::example(&credentials) };
        let Ok((identity, provenance)) = resolve(&input, &rules) else { return Ok(()) };
        block_on(async {
            let glue = client(identity, Answers::new(400, "", r#"{"__type": "InvalidSignatureException"}"#)).await;
            let error = glue.job_run("etl", "jr_1").await.unwrap_err();
            let _ = error.remedy(&provenance);
            glue.inner.signer.look_up_caller().await;
        });
    }

    #[test]
    fn any_session_of_sts_is_taken(
        id in text(), secret in text(), token in text(), expiration in expiration(), arn in text(), is_whole in any::<bool>(),
    ) {
        let sts = if is_whole { session(&id, &secret, &token, &expiration, &arn) } else { id };
        block_on(async {
            let glue = client(identity(true), Answers::new(200, sts, "{}")).await;
            let _ = glue.job_run("etl", "jr_1").await;
            glue.inner.signer.look_up_caller().await;
            let _ = (glue.caller_identity(), glue.account(), format!("{glue:?}"));
        });
    }

    #[test]
    fn any_arguments_are_sent(
        arguments in prop::collection::btree_map(text(), text(), 0..8), job in text(), policy in text(), count in any::<i32>(),
        capacity in any::<f64>(),
    ) {
        let arguments: BTreeMap<_, _> =
            arguments.into_iter().map(|(name, value)| (name, Sensitive::new(value))).collect();
        let run = StartJobRun {
            job: job.clone(),
            arguments,
            workers: Some((policy.clone(), count)),
            max_capacity: Some(capacity),
            timeout_minutes: Some(count),
            execution_role_session_policy: Some(policy),
            ..StartJobRun::default()
        };
        block_on(async {
            let glue = client(identity(false), Answers::new(200, "", r#"{"JobRunId": "jr_1"}"#)).await;
            let _ = glue.start_job_run(&run).await;
            let _ = glue.job_run(&job, &job).await;
        });
    }

    #[test]
    fn any_schedule_is_read(expression in prop_oneof![text(), "cron\\([0-9*?/, LW#-]{1,30}\\)"]) {
        let _ = Schedule::parse(&expression).map(|schedule| {
            (schedule.describe(), schedule.next_after(jiff::Timestamp::UNIX_EPOCH))
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ANSWERS))]

    #[test]
    fn any_answer_of_glue_is_taken(
        body in prop_oneof![9 => answer(), 1 => refused_items()],
        status in prop_oneof![6 => Just(200), 2 => Just(400), 2 => Just(500), 1 => prop::sample::select(&[403, 404, 429, 503][..])],
    ) {
        let defects = block_on(async {
            let glue = client(identity(false), Answers::new(status, body.to_string(), body.to_string())).await;
            defects(&glue, status).await
        });
        prop_assert_eq!(defects, Vec::<String>::new());
    }
}
