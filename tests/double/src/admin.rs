//! The same handles over HTTP, for tests and demonstrations in other processes: `/_double/...`.
//!
//! | path | methods |
//! |---|---|
//! | `/_double/clock` | GET shows it; POST `{"hold": true}`, `{"stepSeconds": 60}`, `{"resume": true}`, `{"speed": 60}` |
//! | `/_double/seed` | POST a [`Seed`]: accounts, keys, roles, policies, jobs, limits, faults |
//! | `/_double/key` | GET the default access key |
//! | `/_double/faults` | GET; POST a [`Fault`]; DELETE clears; DELETE `?id=3` removes one |
//! | `/_double/faults/release` | POST lets held calls go on |
//! | `/_double/limits` | POST `{"GetJobRuns": {"perSecond": 5, "burst": 10}}`; DELETE lifts all |
//! | `/_double/requests` | GET `?operation=&name=&after=&limit=`; POST `{"keep": "noBodies"}`; DELETE forgets |
//! | `/_double/requests/counts` | GET |
//! | `/_double/runs` | GET `?account=&region=&job=`: the runs of a job |
//! | `/_double/firings` | GET `?account=&region=&trigger=`: what a trigger started |
//! | `/_double/events` | POST `?account=&region=&trigger=`: an event arrives for an EVENT trigger |
//! | `/_double/call` | POST `{"account", "region", "operation", "body"}`: somebody else acts, unrecorded |
//! | `/_double/container-credentials` | GET with a Pod Identity token in `Authorization` |

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode, header, http::request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    World, error::AwsError, faults::Fault, glue::runs::JobRun, iam::DEFAULT_ACCOUNT, limits::Rate, requests::Keep,
    seed::Seed, sts, wire::HttpAnswer,
};

type Query = HashMap<String, String>;
type Handler = fn(&World, &Ask<'_>) -> Result<Value, Refusal>;

struct Ask<'a> {
    parts: &'a Parts,
    query: Query,
    body: &'a Bytes,
}

struct Refusal(StatusCode, String);

const TABLE: &[(Method, &str, Handler)] = &[
    (Method::GET, "clock", |world, _| Ok(json!(world.clock.face()))),
    (Method::POST, "clock", set_clock),
    (Method::POST, "seed", seed),
    (Method::GET, "key", |world, _| Ok(json!(world.default_key))),
    (Method::GET, "faults", |world, _| Ok(json!(world.faults.list()))),
    (Method::POST, "faults", |world, ask| Ok(json!({ "id": world.faults.add(ask.read::<Fault>()?) }))),
    (Method::DELETE, "faults", remove_faults),
    (Method::POST, "faults/release", |world, _| {
        world.faults.release();
        Ok(json!({}))
    }),
    (Method::POST, "limits", set_limits),
    (Method::DELETE, "limits", |world, _| {
        world.limits.clear();
        Ok(json!({}))
    }),
    (Method::GET, "requests", list_requests),
    (Method::POST, "requests", keep_requests),
    (Method::DELETE, "requests", |world, _| {
        world.requests.clear();
        Ok(json!({}))
    }),
    (Method::GET, "requests/counts", |world, _| Ok(json!(world.requests.counts()))),
    (Method::GET, "runs", list_runs),
    (Method::GET, "firings", firings),
    (Method::POST, "events", notify_event),
    (Method::POST, "call", call),
    (Method::GET, "container-credentials", container_credentials),
];

pub(crate) fn answer(world: &World, parts: &Parts, body: &Bytes) -> HttpAnswer {
    let path = parts.uri.path().trim_start_matches("/_double/").trim_end_matches('/');
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let ask = Ask { parts, query, body };
    let handler = TABLE.iter().find(|(method, known, _)| *method == parts.method && *known == path);
    let (status, body) = match handler.map(|(_, _, handler)| handler(world, &ask)) {
        Some(Ok(answer)) => (StatusCode::OK, answer),
        Some(Err(Refusal(status, message))) => (status, json!({ "error": message })),
        None => (StatusCode::NOT_FOUND, json!({ "error": format!("nothing at {} {path}", parts.method) })),
    };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap_or_default()
}

impl Ask<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(self.body).map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.to_string()))
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.query(name).ok_or_else(|| Refusal(StatusCode::BAD_REQUEST, format!("{name} is missing")))
    }

    fn account(&self) -> &str {
        self.query("account").unwrap_or(DEFAULT_ACCOUNT)
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let parse = |text: &str| {
            text.parse().map_err(|_| Refusal(StatusCode::BAD_REQUEST, format!("{name} is no number: {text}")))
        };
        self.query(name).map(parse).transpose()
    }
}

fn seed(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    let refuse = |error: AwsError| Refusal(StatusCode::BAD_REQUEST, error.to_string());
    world.apply(ask.read::<Seed>()?).map(|()| json!({})).map_err(refuse)
}

fn set_clock(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
    struct Request {
        hold: bool,
        resume: bool,
        step_seconds: Option<f64>,
        speed: Option<f64>,
    }
    let request: Request = ask.read()?;
    if request.hold {
        world.clock.hold();
    }
    if let Some(seconds) = request.step_seconds {
        let by = Duration::try_from_secs_f64(seconds)
            .map_err(|error| Refusal(StatusCode::BAD_REQUEST, format!("stepSeconds: {error}")))?;
        world.clock.step(by);
    }
    if let Some(speed) = request.speed {
        world.clock.set_speed(speed);
    }
    if request.resume {
        world.clock.resume();
    }
    Ok(json!(world.clock.face()))
}

fn remove_faults(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    match ask.number("id")? {
        Some(id) => world.faults.remove(id),
        None => world.faults.clear(),
    }
    Ok(json!({}))
}

fn set_limits(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    for (operation, rate) in ask.read::<HashMap<String, Rate>>()? {
        world.limits.set_rate(&operation, rate);
    }
    Ok(json!({}))
}

fn list_requests(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    let after = ask.number("after")?.unwrap_or(0);
    let limit = ask.number("limit")?.unwrap_or(u64::MAX);
    let mut requests = world.requests.all().after(after);
    if let Some(operation) = ask.query("operation") {
        requests = requests.matching(|request| *request.call.operation == *operation);
    }
    if let Some(name) = ask.query("name") {
        requests = requests.name(name);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(requests.iter().take(limit).map(|request| request.to_json()).collect())
}

fn keep_requests(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Request {
        keep: Keep,
    }
    world.requests.keep(ask.read::<Request>()?.keep);
    Ok(json!({}))
}

fn list_runs(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    let (account, region, job) = (ask.account(), ask.needed("region")?, ask.needed("job")?);
    Ok(world.glue.with_region(account, region, |region| {
        let runs: Vec<JobRun<'_>> = region.job_runs(job);
        json!(runs)
    }))
}

fn firings(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    let (account, region, trigger) = (ask.account(), ask.needed("region")?, ask.needed("trigger")?);
    Ok(world.glue.with_region(account, region, |region| json!(region.firings(trigger))))
}

fn notify_event(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    let (account, region, trigger) = (ask.account(), ask.needed("region")?, ask.needed("trigger")?);
    world
        .glue
        .with_region(account, region, |region| region.notify_event(trigger))
        .map(|()| json!({}))
        .map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.to_string()))
}

fn call(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Request {
        #[serde(default = "default_account")]
        account: String,
        region: String,
        operation: String,
        #[serde(default)]
        body: Value,
    }
    fn default_account() -> String {
        DEFAULT_ACCOUNT.to_owned()
    }
    let Request { account, region, operation, body } = ask.read()?;
    world
        .call(&account, &region, &operation, &body)
        .map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.to_string()))
}

fn container_credentials(world: &World, ask: &Ask<'_>) -> Result<Value, Refusal> {
    let token = ask.parts.headers.get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
    token
        .and_then(|token| sts::container_credentials(&world.iam, token.trim_start_matches("Bearer ")))
        .ok_or_else(|| Refusal(StatusCode::UNAUTHORIZED, "this token is not known".to_owned()))
}
