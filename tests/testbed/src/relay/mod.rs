//! A relay before the API server that sees every request of a controller, and every event of its watches.
//!
//! Its clients speak HTTP without TLS to it, below a path of their own: `http://127.0.0.1:<port>/<name>`. The relay sends
//! their requests as administrator. What a client is, and what becomes of its requests and events, its [`Tap`] decides.

mod answer;
mod tap;

use std::{
    collections::HashMap,
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use kube::Client;
use tokio::{net::TcpListener, task::JoinSet};

pub use self::tap::{Fate, Tap, Verdict, WatchEvent, Write};

type Taps = Arc<Mutex<HashMap<String, Arc<dyn Tap>>>>;

/// A running relay. Dropping it closes its port and all connections.
pub struct Relay {
    port: u16,
    taps: Taps,
    /// Dropping it aborts the task, which aborts those of the connections.
    _task: JoinSet<()>,
}

impl Relay {
    /// Relays to the API server of `client`.
    pub async fn start(client: Client) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let taps = Taps::default();
        let mut task = JoinSet::new();
        task.spawn(serve(listener, client, Arc::clone(&taps)));
        Ok(Self { port, taps, _task: task })
    }

    /// Admits a client. Returns the URL of its API server.
    #[must_use]
    pub fn admit(&self, name: &str, tap: Arc<dyn Tap>) -> String {
        lock(&self.taps).insert(name.to_owned(), tap);
        format!("http://127.0.0.1:{}/{name}", self.port)
    }

    /// Refuses the requests of a client from now on.
    pub fn dismiss(&self, name: &str) {
        lock(&self.taps).remove(name);
    }
}

fn lock(taps: &Mutex<HashMap<String, Arc<dyn Tap>>>) -> MutexGuard<'_, HashMap<String, Arc<dyn Tap>>> {
    taps.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, client: Client, taps: Taps) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let _ = stream.set_nodelay(true);
        let (client, taps) = (client.clone(), Arc::clone(&taps));
        connections.spawn(async move {
            let answer = service_fn(move |request: Request<Incoming>| {
                let (client, taps) = (client.clone(), Arc::clone(&taps));
                async move {
                    let path = request.uri().path().to_owned();
                    let (name, rest) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
                    let tap = lock(&taps).get(name).cloned();
                    match tap {
                        Some(tap) => answer::answer(&client, tap, request, &format!("/{rest}")).await,
                        None => Err(answer::Refused),
                    }
                }
            });
            // A connection that is closed is what a killed client leaves.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
