//! The receiver: it refuses what the specification refuses, and answers otherwise as a test says.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use super::{events::described, validation::check};
use crate::error::{Error, Result};

/// The receiver. Dropping it stops it.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
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
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// `429` with `Retry-After` of these seconds.
    TooMany(u32),
}

impl Receiver {
    /// A receiver that takes events.
    pub async fn start() -> Result<Self> {
        let receiver = Self::down().await?;
        receiver.come_back().await?;
        Ok(receiver)
    }

    /// A receiver at whose address nobody listens yet.
    pub async fn down() -> Result<Self> {
        let doing = || Error::io("choosing a port for the receiver of lineage");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(doing())?;
        let address = listener.local_addr().map_err(doing())?;
        let shared = Arc::new(Shared {
            events: watch::channel(Vec::new()).0,
            refused: Mutex::default(),
            answers: Mutex::default(),
            requests: watch::channel(0).0,
            holds: watch::channel(false).0,
            authorization: Mutex::default(),
        });
        Ok(Self { address, shared, server: Mutex::default() })
    }

    /// From now on it listens.
    pub async fn come_back(&self) -> Result<()> {
        let doing = Error::io(format!("listening at {}", self.address));
        let listener = TcpListener::bind(self.address).await.map_err(doing)?;
        let router = Router::new().route("/api/v1/lineage", post(receive)).with_state(Arc::clone(&self.shared));
        // It ends when it is aborted.
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        *locked(&self.server) = Some(server);
        Ok(())
    }

    /// What `OPENLINEAGE_URL` is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests are answered so.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        locked(&self.shared.answers).extend(answers);
    }

    /// Takes events again.
    pub fn forget_answers(&self) {
        locked(&self.shared.answers).clear();
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
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.shared.events.borrow().clone()
    }

    /// Why it refused events; what its script refuses is not among them.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        locked(&self.shared.refused).clone()
    }

    /// The header `Authorization` of each request.
    #[must_use]
    pub fn authorization(&self) -> Vec<Option<String>> {
        locked(&self.shared.authorization).clone()
    }

    /// Waits until `condition` holds for the events that it took.
    pub async fn wait_until(
        &self,
        what: &str,
        limit: Duration,
        condition: impl Fn(&[Value]) -> bool,
    ) -> Result<Vec<Value>> {
        let mut events = self.shared.events.subscribe();
        let waited = timeout(limit, events.wait_for(|events| condition(events))).await.is_ok();
        let events = self.events();
        if waited {
            return Ok(events);
        }
        let last = format!("{}\nrefused: {:?}", described(&events), self.refused());
        Err(Error::Timeout { what: what.to_owned(), after: limit, last })
    }

    /// Waits until so many requests came.
    pub async fn wait_for_requests(&self, count: usize, limit: Duration) -> Result<()> {
        let mut requests = self.shared.requests.subscribe();
        let waited = timeout(limit, requests.wait_for(|requests| *requests >= count)).await;
        let (what, last) = (format!("{count} requests"), self.shared.requests.borrow().to_string());
        waited.map(drop).map_err(|_| Error::Timeout { what, after: limit, last })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(server) = locked(&self.server).take() {
            server.abort();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    shared.requests.send_modify(|requests| *requests += 1);
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
    locked(&shared.authorization).push(authorization);
    let mut holds = shared.holds.subscribe();
    let _ = holds.wait_for(|holds| !holds).await;
    let answer = locked(&shared.answers).pop_front();
    match answer {
        Some(Answer::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (status, "as the test says").into_response();
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
    locked(&shared.refused).push(problem.clone());
    (StatusCode::BAD_REQUEST, problem).into_response()
}
