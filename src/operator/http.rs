//! What kubelets and Prometheus ask this process: `/livez`, `/readyz`, `/metrics`.
//!
//! `/livez` answers as long as the process can answer at all. That the cluster or AWS cannot be
//! reached is no reason to restart it; a lost lease ends it without being asked.

use std::{future::Future, net::SocketAddr};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{error::Error, readiness::Readiness};
use crate::metrics::{self, Metrics};

#[derive(Clone)]
struct Shown {
    metrics: Metrics,
    readiness: Readiness,
    stop: CancellationToken,
}

/// Listens on `address` and answers until `end`; from `stop` on `/readyz` says no.
///
/// The address is bound when this returns; the future it returns serves.
pub async fn serve(
    address: SocketAddr,
    metrics: Metrics,
    readiness: Readiness,
    stop: CancellationToken,
    end: CancellationToken,
) -> Result<impl Future<Output = Result<(), Error>> + Send + 'static, Error> {
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    let bound = listener.local_addr().unwrap_or(address);
    tracing::info!("serving /livez, /readyz and /metrics on {bound}");
    let app = router(Shown { metrics, readiness, stop });
    Ok(
        async move { axum::serve(listener, app).with_graceful_shutdown(end.cancelled_owned()).await.map_err(Error::Serve) },
    )
}

fn router(shown: Shown) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text))
        .with_state(shown)
}

async fn readyz(State(shown): State<Shown>) -> Response {
    let (ready, report) = shown.readiness.report();
    if shown.stop.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response()
    } else if ready {
        report.into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, report).into_response()
    }
}

async fn metrics_text(State(shown): State<Shown>) -> Response {
    match shown.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::{super::readiness::Part, *};

    fn shown() -> Shown {
        Shown { metrics: Metrics::new(), readiness: Readiness::default(), stop: CancellationToken::new() }
    }

    async fn asked(shown: &Shown, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(shown.clone()).oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_follows_the_parts_and_the_end() {
        let shown = shown();
        assert_eq!(asked(&shown, "/livez").await.0, StatusCode::OK);
        let (status, body) = asked(&shown, "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("[-] api server: not asked yet"), "{body}");

        for part in [Part::ApiServer, Part::CustomResources, Part::Lease] {
            shown.readiness.is_there(part, "there");
        }
        assert_eq!(asked(&shown, "/readyz").await.0, StatusCode::OK);

        shown.stop.cancel();
        let (status, body) = asked(&shown, "/readyz").await;
        assert_eq!((status, body.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"));
        assert_eq!(asked(&shown, "/livez").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_served() {
        let shown = shown();
        shown.metrics.leader(true);
        let (status, body) = asked(&shown, "/metrics").await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("kube_glue_leader 1"), "{body}");
    }

    #[tokio::test]
    async fn an_address_that_is_taken_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let Shown { metrics, readiness, stop } = shown();
        let address = taken.local_addr().unwrap();
        let end = stop.clone();
        let error = serve(address, metrics, readiness, stop, end).await.err().unwrap();
        assert!(error.to_string().contains("--http-address"), "{error}");
    }
}
