//! A receiver of OpenLineage events: it refuses what the specification refuses, and answers otherwise as a test says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use crate::harness::WAIT_TIMEOUT;

/// The receiver. Dropping it stops it.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    /// The events that it took, in the order in which they came.
    events: watch::Sender<Vec<Value>>,
    /// Why it refused what it refused.
    refused: Mutex<Vec<String>>,
    /// How it answers next; it takes events when there is nothing more.
    answers: Mutex<VecDeque<Answer>>,
    /// How many requests came.
    requests: watch::Sender<usize>,
    /// While it holds, no request is answered.
    holds: watch::Sender<bool>,
    authorization: Mutex<Vec<Option<String>>>,
}

/// How a request is answered that is not taken.
#[derive(Clone, Copy)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// `429` with `Retry-After` of these seconds.
    TooMany(u32),
}

impl Receiver {
    /// A receiver that takes events.
    pub async fn start() -> Self {
        let receiver = Self::down().await;
        receiver.come_back().await;
        receiver
    }

    /// A receiver at whose address nobody listens yet.
    pub async fn down() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            events: watch::channel(Vec::new()).0,
            refused: Mutex::default(),
            answers: Mutex::default(),
            requests: watch::channel(0).0,
            holds: watch::channel(false).0,
            authorization: Mutex::default(),
        });
        Self { address, shared, server: Mutex::default() }
    }

    /// From now on it listens.
    pub async fn come_back(&self) {
        let listener = TcpListener::bind(self.address).await.expect("its port");
        let router = Router::new().route("/api/v1/lineage", post(receive)).with_state(Arc::clone(&self.shared));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
        *self.server.lock().unwrap() = Some(server);
    }

    /// What `--openlineage-url` is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests are answered so.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.answers.lock().unwrap().extend(answers);
    }

    /// Takes events again.
    pub fn forget_answers(&self) {
        self.shared.answers.lock().unwrap().clear();
    }

    /// Answers nothing until [`Receiver::release`].
    pub fn hold(&self) {
        self.shared.holds.send_replace(true);
    }

    /// Answers what it held, and what comes.
    pub fn release(&self) {
        self.shared.holds.send_replace(false);
    }

    /// The events that it took.
    pub fn events(&self) -> Vec<Value> {
        self.shared.events.borrow().clone()
    }

    /// Why it refused events; what its script refuses is not among them.
    pub fn refused(&self) -> Vec<String> {
        self.shared.refused.lock().unwrap().clone()
    }

    /// The header `Authorization` of each request.
    pub fn authorization(&self) -> Vec<Option<String>> {
        self.shared.authorization.lock().unwrap().clone()
    }

    /// Waits until `condition` holds for the events that it took.
    pub async fn wait_until(&self, what: &str, condition: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut events = self.shared.events.subscribe();
        let waited = timeout(WAIT_TIMEOUT, events.wait_for(|events| condition(events))).await.map(drop);
        let events = self.events();
        assert!(waited.is_ok(), "timed out waiting until {what}: {}\n{:?}", described(&events), self.refused());
        events
    }

    /// Waits until so many requests came.
    pub async fn wait_for_requests(&self, count: usize) {
        let mut requests = self.shared.requests.subscribe();
        let waited = timeout(WAIT_TIMEOUT, requests.wait_for(|requests| *requests >= count)).await;
        assert!(waited.is_ok(), "fewer than {count} requests came");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(server) = self.server.lock().unwrap().take() {
            server.abort();
        }
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    shared.requests.send_modify(|requests| *requests += 1);
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
    shared.authorization.lock().unwrap().push(authorization);
    let mut holds = shared.holds.subscribe();
    let _ = holds.wait_for(|holds| !holds).await;
    let answer = shared.answers.lock().unwrap().pop_front();
    match answer {
        Some(Answer::Status(status)) => {
            return (StatusCode::from_u16(status).expect("a status"), "as the test says").into_response();
        }
        Some(Answer::TooMany(seconds)) => {
            let mut response = StatusCode::TOO_MANY_REQUESTS.into_response();
            response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
            return response;
        }
        None => {}
    }
    let event: Value = match serde_json::from_slice(&body) {
        Ok(event) => event,
        Err(error) => return refuse(&shared, error.to_string()),
    };
    if let Err(problem) = check(&event) {
        return refuse(&shared, format!("{problem}: {event}"));
    }
    shared.events.send_modify(|events| events.push(event));
    StatusCode::CREATED.into_response()
}

fn refuse(shared: &Shared, problem: String) -> Response {
    shared.refused.lock().unwrap().push(problem.clone());
    (StatusCode::BAD_REQUEST, problem).into_response()
}

/// What `OpenLineage.json` 2-0-2 requires of a RunEvent, and of each facet in it.
fn check(event: &Value) -> Result<(), String> {
    let text = |value: &Value, what: &str| -> Result<String, String> {
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(|| format!("no {what}"))
    };
    let uri = |value: &Value, what: &str| -> Result<(), String> {
        let uri = text(value, what)?;
        if uri.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some()) {
            Ok(())
        } else {
            Err(format!("{what} {uri}"))
        }
    };
    text(&event["eventTime"], "eventTime")?.parse::<Timestamp>().map_err(|error| error.to_string())?;
    let type_ = text(&event["eventType"], "eventType")?;
    if !["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"].contains(&type_.as_str()) {
        return Err(format!("eventType {type_}"));
    }
    uri(&event["producer"], "producer")?;
    uri(&event["schemaURL"], "schemaURL")?;
    let run_id = text(&event["run"]["runId"], "runId")?;
    Uuid::parse_str(&run_id).map_err(|error| error.to_string())?;
    let mut owners = vec![&event["run"], &event["job"]];
    let named = ["inputs", "outputs"].iter().flat_map(|list| event[*list].as_array().into_iter().flatten());
    let named: Vec<&Value> = named.collect();
    for named in named.iter().copied().chain([&event["job"]]) {
        text(&named["namespace"], "namespace")?;
        text(&named["name"], "name")?;
    }
    owners.extend(named);
    for (name, facet) in owners.iter().flat_map(|owner| owner["facets"].as_object().into_iter().flatten()) {
        uri(&facet["_producer"], &format!("_producer of {name}"))?;
        uri(&facet["_schemaURL"], &format!("_schemaURL of {name}"))?;
    }
    Ok(())
}

/// The events of one run in the order in which they came, by their types.
pub fn types_of<'e>(events: &'e [Value], run: &str) -> Vec<&'e str> {
    of_run(events, run).map(|event| event["eventType"].as_str().unwrap_or_default()).collect()
}

/// The events of the run with this id of Glue.
pub fn of_run<'e>(events: &'e [Value], run: &str) -> impl Iterator<Item = &'e Value> + use<'e> {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, run.as_bytes()).to_string();
    events.iter().filter(move |event| event["run"]["runId"] == id.as_str())
}

/// One line for each event.
pub fn described(events: &[Value]) -> String {
    let line = |event: &Value| format!("{} {} {}", event["eventType"], event["job"]["name"], event["run"]["runId"]);
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_receiver_refuses_what_the_specification_refuses() {
    let good = serde_json::json!({
        "eventType": "START", "eventTime": "2026-11-27T12:00:00Z", "producer": "https://p", "schemaURL": "https://s",
        "run": {"runId": "5b3dd7d6-9b0f-4f2a-8b0a-111111111111"}, "job": {"namespace": "n", "name": "j"},
        "inputs": [{"namespace": "s3://b", "name": "k", "facets": {"f": {"_producer": "https://p", "_schemaURL": "https://s"}}}],
    });
    assert_eq!(check(&good), Ok(()));
    for (pointer, wrong) in [
        ("/eventType", "BEGIN"),
        ("/eventTime", "yesterday"),
        ("/producer", "nobody"),
        ("/schemaURL", ""),
        ("/run/runId", "jr_1"),
        ("/job/name", ""),
        ("/inputs/0/namespace", ""),
        ("/inputs/0/facets/f/_schemaURL", "none"),
    ] {
        let mut event = good.clone();
        *event.pointer_mut(pointer).expect(pointer) = serde_json::json!(wrong);
        assert!(check(&event).is_err(), "{pointer}");
    }
}
