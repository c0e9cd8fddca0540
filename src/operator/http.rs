//! The HTTP server for kubelets and Prometheus: `/livez`, `/readyz`, `/metrics`.
//!
//! `/livez` succeeds as long as the process responds. A restart would not help when the cluster or AWS is unreachable,
//! and the process exits by itself when it loses the lease.

use std::future::Future;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::connections::{self, Limits};
use super::error::Error;
use super::readiness::Readiness;
use crate::metrics::{self, Metrics};

#[derive(Clone)]
struct AppState {
    metrics: Metrics,
    readiness: Readiness,
    stop: CancellationToken,
}

/// Binds `address` and returns the future that serves until `end`. After `stop`, `/readyz` fails.
pub(super) async fn serve(
    address: SocketAddr,
    metrics: Metrics,
    readiness: Readiness,
    stop: CancellationToken,
    end: CancellationToken,
) -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    let bound = listener.local_addr().unwrap_or(address);
    tracing::info!("serving /livez, /readyz and /metrics on {bound}");
    let app = router(AppState { metrics, readiness, stop });
    Ok(connections::serve(listener, app, Limits::default(), end))
}

fn router(state: AppState) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text))
        .with_state(state)
}

async fn readyz(State(state): State<AppState>) -> Response {
    let (ready, report) = state.readiness.report();
    if state.stop.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response()
    } else if ready {
        report.into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, report).into_response()
    }
}

async fn metrics_text(State(state): State<AppState>) -> Response {
    match state.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::super::readiness::Part;
    use super::*;

    fn app_state() -> AppState {
        AppState { metrics: Metrics::new(), readiness: Readiness::default(), stop: CancellationToken::new() }
    }

    async fn get_path(state: &AppState, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(state.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readyz_follows_the_parts_and_fails_at_shutdown() {
        let state = app_state();
        assert_eq!(get_path(&state, "/livez").await.0, StatusCode::OK);
        let (status, body) = get_path(&state, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("[-] api server: not checked yet"), "{body}");

        for part in [Part::ApiServer, Part::CustomResources, Part::Lease] {
            state.readiness.set_ready(part, "ready");
        }
        assert_eq!(get_path(&state, "/readyz").await.0, StatusCode::OK);

        state.stop.cancel();
        let (status, body) = get_path(&state, "/readyz").await;
        assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"));
        assert_eq!(get_path(&state, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_served() {
        let state = app_state();
        state.metrics.leader(true);
        let (status, body) = get_path(&state, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("kube_glue_leader 1"), "{body}");
    }

    #[tokio::test]
    async fn an_address_in_use_is_reported_with_its_flag() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let AppState { metrics, readiness, stop } = app_state();
        let address = taken.local_addr().unwrap();
        let end = stop.clone();
        let error = serve(address, metrics, readiness, stop, end).await.err().unwrap();
        assert!(error.to_string().contains("--http-address"), "{error}");
    }
}
