//! Control of the double over HTTP, for tests and demonstrations in other processes: `/_double/...`.
//!
//! | path | methods |
//! |---|---|
//! | `/_double/clock` | GET; POST `{"hold": true}`, `{"stepSeconds": 60}`, `{"resume": true}`, `{"speed": 60}` |
//! | `/_double/seed` | POST a [`Seed`]: accounts, access keys, roles, policies, jobs, limits, faults |
//! | `/_double/key` | GET the default access key |
//! | `/_double/faults` | GET; POST a [`Fault`]; DELETE removes all; DELETE `?id=3` removes one |
//! | `/_double/faults/release` | POST releases held calls |
//! | `/_double/limits` | POST `{"GetJobRuns": {"perSecond": 5, "burst": 10}}`; DELETE removes all |
//! | `/_double/requests` | GET `?operation=&name=&after=&limit=`; POST `{"keep": "noBodies"}`; DELETE clears |
//! | `/_double/requests/counts` | GET |
//! | `/_double/runs` | GET `?account=&region=&job=`: the runs of a job |
//! | `/_double/firings` | GET `?account=&region=&trigger=`: the firings of a trigger, with what each started |
//! | `/_double/events` | POST `?account=&region=&trigger=`: delivers an event to an EVENT trigger |
//! | `/_double/call` | POST `{"account", "region", "operation", "body"}`: a call of another client, not recorded |
//! | `/_double/container-credentials` | GET with a Pod Identity token in `Authorization` |

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode, header, http::request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    error::AwsError, faults::Fault, glue::runs::JobRun, iam::DEFAULT_ACCOUNT, limits::Rate, requests::Keep, seed::Seed,
    state::State, sts, wire::HttpAnswer,
};

type Query = HashMap<String, String>;
type Handler = fn(&State, &AdminRequest<'_>) -> Result<Value, AdminError>;

struct AdminRequest<'a> {
    parts: &'a Parts,
    query: Query,
    body: &'a Bytes,
}

struct AdminError(StatusCode, String);

const ROUTES: &[(Method, &str, Handler)] = &[
    (Method::GET, "clock", |state, _| Ok(json!(state.clock.status()))),
    (Method::POST, "clock", set_clock),
    (Method::POST, "seed", seed),
    (Method::GET, "key", |state, _| Ok(json!(state.default_key))),
    (Method::GET, "faults", |state, _| Ok(json!(state.faults.list()))),
    (Method::POST, "faults", |state, request| Ok(json!({ "id": state.faults.add(request.read::<Fault>()?) }))),
    (Method::DELETE, "faults", remove_faults),
    (Method::POST, "faults/release", |state, _| {
        state.faults.release();
        Ok(json!({}))
    }),
    (Method::POST, "limits", set_limits),
    (Method::DELETE, "limits", |state, _| {
        state.limits.clear();
        Ok(json!({}))
    }),
    (Method::GET, "requests", list_requests),
    (Method::POST, "requests", keep_requests),
    (Method::DELETE, "requests", |state, _| {
        state.requests.clear();
        Ok(json!({}))
    }),
    (Method::GET, "requests/counts", |state, _| Ok(json!(state.requests.counts()))),
    (Method::GET, "runs", list_runs),
    (Method::GET, "firings", firings),
    (Method::POST, "events", notify_event),
    (Method::POST, "call", call),
    (Method::GET, "container-credentials", container_credentials),
];

pub(crate) fn answer(state: &State, parts: &Parts, body: &Bytes) -> HttpAnswer {
    let path = parts.uri.path().trim_start_matches("/_double/").trim_end_matches('/');
    let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let request = AdminRequest { parts, query, body };
    let handler = ROUTES.iter().find(|(method, known, _)| *method == parts.method && *known == path);
    let (status, body) = match handler.map(|(_, _, handler)| handler(state, &request)) {
        Some(Ok(answer)) => (StatusCode::OK, answer),
        Some(Err(AdminError(status, message))) => (status, json!({ "error": message })),
        None => (StatusCode::NOT_FOUND, json!({ "error": format!("no such endpoint: {} {path}", parts.method) })),
    };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap_or_default()
}

impl AdminRequest<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, AdminError> {
        serde_json::from_slice(self.body).map_err(|error| AdminError(StatusCode::BAD_REQUEST, error.to_string()))
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    fn required(&self, name: &str) -> Result<&str, AdminError> {
        self.query(name).ok_or_else(|| AdminError(StatusCode::BAD_REQUEST, format!("{name} is missing")))
    }

    fn account(&self) -> &str {
        self.query("account").unwrap_or(DEFAULT_ACCOUNT)
    }

    fn number(&self, name: &str) -> Result<Option<u64>, AdminError> {
        let parse = |text: &str| {
            text.parse().map_err(|_| AdminError(StatusCode::BAD_REQUEST, format!("{name} is not a number: {text}")))
        };
        self.query(name).map(parse).transpose()
    }
}

fn seed(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    let refuse = |error: AwsError| AdminError(StatusCode::BAD_REQUEST, error.to_string());
    state.apply(request.read::<Seed>()?).map(|()| json!({})).map_err(refuse)
}

fn set_clock(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
    struct Request {
        hold: bool,
        resume: bool,
        step_seconds: Option<f64>,
        speed: Option<f64>,
    }
    let request: Request = request.read()?;
    if request.hold {
        state.clock.hold();
    }
    if let Some(seconds) = request.step_seconds {
        let by = Duration::try_from_secs_f64(seconds)
            .map_err(|error| AdminError(StatusCode::BAD_REQUEST, format!("stepSeconds: {error}")))?;
        state.clock.step(by);
    }
    if let Some(speed) = request.speed {
        state.clock.set_speed(speed);
    }
    if request.resume {
        state.clock.resume();
    }
    Ok(json!(state.clock.status()))
}

fn remove_faults(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    match request.number("id")? {
        Some(id) => state.faults.remove(id),
        None => state.faults.clear(),
    }
    Ok(json!({}))
}

fn set_limits(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    for (operation, rate) in request.read::<HashMap<String, Rate>>()? {
        state.limits.set_rate(&operation, rate);
    }
    Ok(json!({}))
}

fn list_requests(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    let after = request.number("after")?.unwrap_or(0);
    let limit = request.number("limit")?.unwrap_or(u64::MAX);
    let mut requests = state.requests.all().after(after);
    if let Some(operation) = request.query("operation") {
        requests = requests.matching(|request| *request.call.operation == *operation);
    }
    if let Some(name) = request.query("name") {
        requests = requests.name(name);
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(requests.iter().take(limit).map(|request| request.to_json()).collect())
}

fn keep_requests(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Request {
        keep: Keep,
    }
    state.requests.keep(request.read::<Request>()?.keep);
    Ok(json!({}))
}

fn list_runs(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    let (account, region, job) = (request.account(), request.required("region")?, request.required("job")?);
    Ok(state.glue.with_region(account, region, |region| {
        let runs: Vec<JobRun<'_>> = region.job_runs(job);
        json!(runs)
    }))
}

fn firings(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    let (account, region, trigger) = (request.account(), request.required("region")?, request.required("trigger")?);
    Ok(state.glue.with_region(account, region, |region| json!(region.firings(trigger))))
}

fn notify_event(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    let (account, region, trigger) = (request.account(), request.required("region")?, request.required("trigger")?);
    state
        .glue
        .with_region(account, region, |region| region.notify_event(trigger))
        .map(|()| json!({}))
        .map_err(|error| AdminError(StatusCode::BAD_REQUEST, error.to_string()))
}

fn call(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
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
    let Request { account, region, operation, body } = request.read()?;
    state
        .call(&account, &region, &operation, &body)
        .map_err(|error| AdminError(StatusCode::BAD_REQUEST, error.to_string()))
}

fn container_credentials(state: &State, request: &AdminRequest<'_>) -> Result<Value, AdminError> {
    let token = request.parts.headers.get(header::AUTHORIZATION).and_then(|token| token.to_str().ok());
    token
        .and_then(|token| sts::container_credentials(&state.iam, token.trim_start_matches("Bearer ")))
        .ok_or_else(|| AdminError(StatusCode::UNAUTHORIZED, "the token is unknown".to_owned()))
}
