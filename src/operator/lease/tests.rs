//! The election on a lease server in memory, in paused time.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use axum::http::{Method, Request, Response, StatusCode};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

const DURATION: Duration = Duration::from_secs(15);

/// What a replica's connection does to one request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    /// It never arrives, and there is no answer.
    Lost,
    /// It is carried out, and there is no answer.
    AnswerLost,
    /// It is carried out after this long, whether or not anybody still waits.
    Late(Duration),
}

/// One lease object with the API server's rules for it.
#[derive(Clone, Default)]
struct Server {
    record: Arc<Mutex<Option<Value>>>,
    version: Arc<AtomicU64>,
}

impl Server {
    fn answer(&self, method: &Method, body: &[u8]) -> Response<Body> {
        let mut record = self.record.lock().unwrap();
        let refuse = |code: StatusCode, reason: &str| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                "message": reason, "reason": reason, "code": code.as_u16()});
            (code, status)
        };
        let (code, value) = match (method, record.as_ref()) {
            (&Method::GET, Some(record)) => (StatusCode::OK, record.clone()),
            (&Method::GET | &Method::PUT, None) => refuse(StatusCode::NOT_FOUND, "NotFound"),
            (&Method::POST, Some(_)) => refuse(StatusCode::CONFLICT, "AlreadyExists"),
            (&Method::PUT | &Method::POST, before) => {
                let mut new: Value = serde_json::from_slice(body).unwrap();
                let version = |value: &Value| value["metadata"]["resourceVersion"].clone();
                if before.is_some_and(|before| version(before) != version(&new)) {
                    refuse(StatusCode::CONFLICT, "Conflict")
                } else {
                    let next = self.version.fetch_add(1, Ordering::Relaxed) + 1;
                    new["metadata"]["resourceVersion"] = next.to_string().into();
                    *record = Some(new.clone());
                    (StatusCode::OK, new)
                }
            }
            _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        };
        let body = serde_json::to_vec(&value).unwrap();
        Response::builder().status(code).body(Body::from(body)).unwrap()
    }

    fn client(&self, fault: impl Fn() -> Fault + Clone + Send + 'static) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (server, fault) = (server.clone(), fault());
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let carry_out = move || server.answer(&parts.method, &body);
                match fault {
                    Fault::None => Ok::<_, Infallible>(carry_out()),
                    Fault::Lost => std::future::pending().await,
                    Fault::AnswerLost => {
                        carry_out();
                        std::future::pending().await
                    }
                    Fault::Late(by) => {
                        let late = tokio::spawn(async move {
                            tokio::time::sleep(by).await;
                            carry_out()
                        });
                        Ok(late.await.unwrap())
                    }
                }
            }
        });
        Client::new(service, "default")
    }

    fn replica(&self, identity: &str, fault: impl Fn() -> Fault + Clone + Send + 'static) -> Replica {
        let config = Config {
            name: "kube-glue".to_owned(),
            namespace: "kube-glue".to_owned(),
            identity: identity.to_owned(),
            duration: DURATION,
        };
        let readiness = Readiness::default();
        let (lease, leadership) = Lease::new(self.client(fault), config, Metrics::new(), readiness.clone());
        let stop = CancellationToken::new();
        let running = tokio::spawn(lease.run(stop.clone()));
        Replica { leadership, readiness, stop, running }
    }

    fn spec(&self) -> Value {
        self.record.lock().unwrap().as_ref().map_or(Value::Null, |record| record["spec"].clone())
    }
}

struct Replica {
    leadership: Leadership,
    readiness: Readiness,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<()>,
}

fn healthy() -> Fault {
    Fault::None
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_one_leads_and_goes_on_leading() {
    let server = Server::default();
    let first = server.replica("first", healthy);
    first.leadership.acquired().await;
    let second = server.replica("second", healthy);
    for _ in 0..600 {
        seconds(1).await;
        assert!(first.leadership.holds());
        assert!(!second.leadership.holds());
    }
    assert_eq!(server.spec()["holderIdentity"], "first");
    assert_eq!(server.spec()["leaseDurationSeconds"], 15);
    let (_, report) = second.readiness.report();
    assert!(report.contains("[+] lease: standby; held by first"), "{report}");
    let writes = server.version.load(Ordering::Relaxed);
    assert!((115..=125).contains(&writes), "{writes} writes in 600 s: one every 5 s");
}

#[tokio::test(start_paused = true)]
async fn an_orderly_end_hands_over_within_two_seconds() {
    let server = Server::default();
    let first = server.replica("first", healthy);
    first.leadership.acquired().await;
    let second = server.replica("second", healthy);
    seconds(20).await;

    first.stop.cancel();
    let start = Instant::now();
    second.leadership.acquired().await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    first.running.await.unwrap();
    assert_eq!(server.spec()["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_killed_holder_is_followed_after_the_duration() {
    let server = Server::default();
    let first = server.replica("first", healthy);
    first.leadership.acquired().await;
    let second = server.replica("second", healthy);
    seconds(21).await;
    first.running.abort();
    let start = Instant::now();
    second.leadership.acquired().await;
    let took = start.elapsed();
    assert!(took > DURATION / 2 && took < DURATION + Duration::from_secs(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_restarts_takes_up_its_own_lease_at_once() {
    let server = Server::default();
    let first = server.replica("pod-1", healthy);
    first.leadership.acquired().await;
    first.running.abort();
    let start = Instant::now();
    let again = server.replica("pod-1", healthy);
    again.leadership.acquired().await;
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_is_cut_off_knows_it_before_anybody_follows() {
    let server = Server::default();
    let cut = Arc::new(AtomicBool::new(false));
    let is_cut = cut.clone();
    let first = server.replica("first", move || if is_cut.load(Ordering::Relaxed) { Fault::Lost } else { Fault::None });
    first.leadership.acquired().await;
    let second = server.replica("second", healthy);
    seconds(10).await;

    cut.store(true, Ordering::Relaxed);
    let start = Instant::now();
    first.leadership.lost().await;
    assert!(start.elapsed() <= DURATION * 2 / 3);
    assert!(!second.leadership.holds());
    second.leadership.acquired().await;
    assert!(!first.leadership.holds());

    cut.store(false, Ordering::Relaxed);
    first.running.await.unwrap();
    assert!(!first.leadership.holds(), "it does not stand again");
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_no_loss() {
    let server = Server::default();
    let cut = Arc::new(AtomicBool::new(false));
    let is_cut = cut.clone();
    let first =
        server.replica("first", move || if is_cut.load(Ordering::Relaxed) { Fault::AnswerLost } else { Fault::None });
    first.leadership.acquired().await;
    for _ in 0..20 {
        cut.store(true, Ordering::Relaxed);
        seconds(4).await;
        cut.store(false, Ordering::Relaxed);
        seconds(10).await;
        assert!(first.leadership.holds());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_deleted_is_created_again() {
    let server = Server::default();
    let first = server.replica("first", healthy);
    first.leadership.acquired().await;
    *server.record.lock().unwrap() = None;
    seconds(7).await;
    assert!(first.leadership.holds());
    assert_eq!(server.spec()["holderIdentity"], "first");
}

#[tokio::test(start_paused = true)]
async fn at_no_time_do_two_hold_it() {
    const SEEDS: u8 = 64;
    let mut all_led = 0;
    for seed in 0..u64::from(SEEDS) {
        let random = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
        let server = Server::default();
        let start = |name: String| {
            let random = random.clone();
            server.replica(&name, move || {
                let mut random = random.lock().unwrap();
                match random.u8(0..10) {
                    0..2 => Fault::Lost,
                    2..4 => Fault::AnswerLost,
                    4..6 => Fault::Late(Duration::from_millis(random.u64(0..30_000))),
                    _ => Fault::None,
                }
            })
        };
        let mut replicas: Vec<Replica> = (0..3).map(|n| start(format!("r{n}"))).collect();
        let (mut led, mut named) = (0, 3);
        for _ in 0..1200 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let holders = replicas.iter().filter(|replica| replica.leadership.holds()).count();
            assert!(holders <= 1, "seed {seed}: {holders} hold the lease");
            led += holders;
            for replica in &mut replicas {
                if replica.running.is_finished() {
                    *replica = start(format!("r{named}"));
                    named += 1;
                }
            }
            let ends = random.lock().unwrap().u16(0..400) == 0;
            if ends {
                let which = random.lock().unwrap().usize(0..3);
                replicas[which].stop.cancel();
            }
        }
        all_led += led;
        for replica in replicas {
            replica.running.abort();
        }
    }
    // Of all seeds together: the pauses between looks have dice of their own, and a single seed may be unlucky.
    let each = all_led / usize::from(SEEDS);
    assert!(each > 200, "somebody leads most of the time, not {each} of 1200");
}
