//! HTTP GET on loopback, for probes and for tests that read from a Pod.

use std::{io, time::Duration};

use http_body_util::{BodyExt as _, Empty};
use hyper::{Uri, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// Returns the status code and the body. Redirects are not followed.
pub(crate) async fn get(url: &str, limit: Duration) -> io::Result<(u16, String)> {
    let uri: Uri = url.parse().map_err(io::Error::other)?;
    let client: Client<HttpConnector, Empty<Bytes>> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let asked = async {
        let response = client.get(uri).await.map_err(io::Error::other)?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {limit:?}"))),
    }
}
