//! HTTP/1 connections within limits, so that no client keeps probes and scrapes waiting.
//!
//! A connection is for one request. Its head and its answer have a time limit, and beyond the most connections the oldest
//! one is closed for a new one: who holds many only closes their own.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The pause after a connection could not be accepted, such as for want of file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// The most bytes of a request's head; 8 KiB is the least that hyper takes.
const MAX_HEAD: usize = 16 * 1024;

/// What clients may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long the head of a request may take.
    pub head: Duration,
    /// How long a connection may last.
    pub connection: Duration,
    /// How many connections there are at a time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: Duration::from_secs(5), connection: Duration::from_secs(30), connections: 64 }
    }
}

/// Serves `app` until `end`, and then until the connections have ended.
pub(super) async fn serve(listener: TcpListener, app: Router, limits: Limits, end: CancellationToken) {
    let mut open = JoinSet::new();
    let mut oldest = VecDeque::<AbortHandle>::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
            () = end.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                oldest.retain(|connection| !connection.is_finished());
                if oldest.len() >= limits.connections
                    && let Some(connection) = oldest.pop_front()
                {
                    connection.abort();
                }
                oldest.push_back(open.spawn(connection(stream, app.clone(), limits, end.clone())));
            }
            Err(error) => {
                warn!(%error, "an HTTP connection could not be accepted");
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    while open.join_next().await.is_some() {}
}

/// Answers one request. What a client does wrong ends its connection, and is of no interest to anybody else.
async fn connection(stream: TcpStream, app: Router, limits: Limits, end: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(MAX_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut connection = pin!(connection);
    let served = async {
        tokio::select! {
            served = connection.as_mut() => served,
            () = end.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    drop(timeout(limits.connection, served).await);
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn server(limits: Limits) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", get(async || "ok")).route("/never", get(std::future::pending::<String>));
        tokio::spawn(serve(listener, app, limits, CancellationToken::new()));
        address
    }

    async fn send(address: SocketAddr, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// How long a test waits for a limit: less than hyper's own for the head of a request, which is 30 s.
    const AT_ONCE: Duration = Duration::from_secs(20);

    /// What the server sends until it closes the connection, which must happen without the client's doing.
    async fn until_closed(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        let closed = timeout(AT_ONCE, stream.read_to_end(&mut answer)).await;
        drop(closed.expect("the server closes the connection"));
        String::from_utf8(answer).unwrap()
    }

    const LONG: Duration = Duration::from_mins(10);
    const SHORT: Duration = Duration::from_millis(20);
    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[tokio::test]
    async fn a_request_whose_head_does_not_end_is_closed() {
        let address = server(Limits { head: SHORT, connection: LONG, connections: 4 }).await;
        for text in ["", "GET / HTTP/1.1\r\nHost: a\r\n"] {
            let answer = until_closed(send(address, text).await).await;
            assert!(!answer.contains("200 OK"), "{answer}");
        }
    }

    /// No time passes for these heads: only the size ends them.
    #[tokio::test]
    async fn a_request_whose_head_is_too_large_is_closed_before_all_of_it_is_read() {
        let address = server(Limits { head: LONG, connection: LONG, connections: 4 }).await;
        let begun = |bytes: usize| format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}", "a".repeat(bytes));
        let answer = until_closed(send(address, &begun(2 * MAX_HEAD)).await).await;
        assert!(!answer.contains("200 OK"), "{answer}");
        let answer = until_closed(send(address, &(begun(MAX_HEAD / 2) + "\r\n\r\n")).await).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }

    #[tokio::test]
    async fn a_connection_ends_after_its_answer_or_its_time() {
        let address = server(Limits { head: LONG, connection: LONG, connections: 4 }).await;
        let answer = until_closed(send(address, REQUEST).await).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok"), "{answer}");
        let address = server(Limits { head: LONG, connection: SHORT, connections: 4 }).await;
        let never = "GET /never HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(until_closed(send(address, never).await).await, "");
    }

    #[tokio::test]
    async fn whoever_holds_all_connections_keeps_nobody_waiting() {
        let address = server(Limits { head: LONG, connection: LONG, connections: 3 }).await;
        let mut held = VecDeque::new();
        for _ in 0..3 {
            held.push_back(send(address, "GET").await);
        }
        for _ in 0..4 {
            let answer = until_closed(send(address, REQUEST).await).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
            let oldest = held.pop_front().unwrap();
            assert_eq!(until_closed(oldest).await, "", "the oldest is closed for the new one");
            held.push_back(send(address, "GET").await);
        }
    }
}
