//! The HTTP/1.1 server, with keep-alive and a task for each connection.

use std::{convert::Infallible, future::Future, net::SocketAddr, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinSet,
};

use super::{Dropped, HttpAnswer};

/// The double cannot listen on its address.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    address: SocketAddr,
    source: std::io::Error,
}

/// Binds a listener.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError { address, source })
}

/// What a server does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// It serves them.
    Accepting,
    /// It has closed them, and refuses new ones.
    Refusing,
    /// It has ended.
    Stopped,
}

/// Serves as `serving` says, until it is [`Serving::Stopped`] or its sender is dropped.
pub async fn serve<S, F>(listener: TcpListener, mut serving: watch::Receiver<Serving>, service: S)
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<HttpAnswer, Dropped>> + Send + 'static,
{
    let Ok(address) = listener.local_addr() else { return };
    let mut listener = Some(listener);
    while let Some(accepting) = listener.take() {
        accept(accepting, &mut serving, &service).await;
        if *serving.borrow_and_update() == Serving::Refusing {
            // A socket that does not listen reserves the port. The next listener can be bound beside it.
            let reserved = reserve(address);
            let ended = serving.wait_for(|serving| *serving != Serving::Refusing).await.is_err();
            listener = if ended { None } else { listen(address).await.ok() };
            drop(reserved);
        }
    }
}

fn reserve(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Serves connections until it shall not. Then all are closed.
async fn accept<S, F>(listener: TcpListener, serving: &mut watch::Receiver<Serving>, service: &S)
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<HttpAnswer, Dropped>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = serving.wait_for(|serving| *serving != Serving::Accepting) => return,
            Some(_) = connections.join_next() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Usually the file descriptors are used up: wait until other connections have ended.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let service = service.clone();
        connections.spawn(async move {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "cannot set TCP_NODELAY");
            }
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(service)).await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended early");
            }
            Ok::<_, Infallible>(())
        });
    }
}
