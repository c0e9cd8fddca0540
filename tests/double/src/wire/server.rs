//! The HTTP/1.1 server, with keep-alive and a task for each connection.

use std::{convert::Infallible, future::Future, net::SocketAddr, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

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

/// Serves until `stop` is true or its sender is dropped. Then all connections are closed.
pub async fn serve<S, F>(listener: TcpListener, mut stop: watch::Receiver<bool>, service: S)
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<HttpAnswer, Dropped>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
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
