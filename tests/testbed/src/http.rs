//! HTTP on loopback: GET for probes and for tests that read from a Pod, POST for etcd.

use std::{io, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// Returns the status code and the body. Redirects are not followed.
pub(crate) async fn get(url: &str, limit: Duration) -> io::Result<(u16, String)> {
    send(Request::get(url).body(Full::default()).map_err(io::Error::other)?, limit).await
}

/// Posts JSON. Returns the status code and the body.
pub(crate) async fn post(url: &str, json: &serde_json::Value, limit: Duration) -> io::Result<(u16, String)> {
    let request = Request::post(url).header("content-type", "application/json");
    send(request.body(Full::from(json.to_string())).map_err(io::Error::other)?, limit).await
}

async fn send(request: Request<Full<Bytes>>, limit: Duration) -> io::Result<(u16, String)> {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    let asked = async {
        let response = client.request(request).await.map_err(io::Error::other)?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    };
    match tokio::time::timeout(limit, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {limit:?}"))),
    }
}
