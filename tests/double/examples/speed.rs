//! Measures how many requests per second the double handles on this machine: `cargo run --release --example speed`.
//!
//! Several connections send the same signed request repeatedly, each after the answer to the one before.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::cast_precision_loss)]

use std::time::{Duration, Instant};

use hyper::HeaderMap;
use kube_glue_double::{
    DEFAULT_ACCOUNT, Double, JobDefinition, Keep, RunScript,
    wire::sigv4::{Signed, SignedParts},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const REGION: &str = "eu-west-1";
const CONNECTIONS: usize = 16;
const RUNS: usize = 20_000;

/// The bytes of a signed HTTP request.
fn request(double: &Double, operation: &str, body: &str) -> Vec<u8> {
    let key = double.default_key();
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let host = double.address().to_string();
    let target = format!("AWSGlue.{operation}");
    let mut headers = HeaderMap::new();
    for (name, value) in [("host", &host), ("x-amz-date", &now), ("x-amz-target", &target)] {
        headers.insert(name, value.parse().unwrap());
    }
    let signed_headers = "host;x-amz-date;x-amz-target";
    let signed = Signed {
        access_key_id: &key.id,
        date: &now[..8],
        region: REGION,
        service: "glue",
        signed_headers,
        signature: "",
    };
    let parts = SignedParts { method: "POST", path: "/", query: "", headers: &headers, body: body.as_bytes() };
    let signature = signed.signature_of(&parts, &signed.signing_key(&key.secret), &now).unwrap();
    format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\nx-amz-date: {now}\r\nx-amz-target: {target}\r\ncontent-length: {}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={}/{}/{REGION}/glue/aws4_request, \
         SignedHeaders={signed_headers}, Signature={signature}\r\n\r\n{body}",
        body.len(),
        key.id,
        &now[..8],
    )
    .into_bytes()
}

async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "the connection was closed");
        let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{}", String::from_utf8_lossy(buffer));
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        while buffer.len() < end + 4 + length {
            assert!(stream.read_buf(buffer).await.unwrap() > 0, "the connection was closed");
        }
        return;
    }
}

async fn measure(double: &Double, what: &str, operation: &str, body: String) {
    let request = request(double, operation, &body);
    let began = Instant::now();
    let lasts = Duration::from_secs(3);
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, request) = (double.address(), request.clone());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut buffer = Vec::with_capacity(64 * 1024);
                let mut count = 0_u32;
                while began.elapsed() < lasts {
                    stream.write_all(&request).await.unwrap();
                    answer(&mut stream, &mut buffer).await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut total = 0;
    for client in clients {
        total += client.await.unwrap();
    }
    println!("{what:<44} {:>9.0} requests/s", f64::from(total) / began.elapsed().as_secs_f64());
}

#[tokio::main]
async fn main() {
    let double = Double::start().await.unwrap();
    double.requests().keep(Keep::Counts);
    let job = JobDefinition::new("etl").max_concurrent_runs(u32::MAX).script(RunScript::never_ends());
    double.define_job(DEFAULT_ACCOUNT, REGION, job);
    let start = serde_json::json!({ "JobName": "etl", "Arguments": { "--key": "value" } });
    let mut run = String::new();
    for _ in 0..RUNS {
        let started = double.call(DEFAULT_ACCOUNT, REGION, "StartJobRun", &start).unwrap();
        started["JobRunId"].as_str().unwrap().clone_into(&mut run);
    }
    println!("with {RUNS} live runs, {CONNECTIONS} connections:");
    for check in [true, false] {
        double.check_signatures(check);
        let how = if check { "signatures checked" } else { "not checked" };
        let get = format!(r#"{{"JobName":"etl","RunId":"{run}"}}"#);
        measure(&double, &format!("GetJobRun, {how}"), "GetJobRun", get).await;
        let page = r#"{"JobName":"etl","MaxResults":200}"#.to_owned();
        measure(&double, &format!("GetJobRuns, 200 a page, {how}"), "GetJobRuns", page).await;
        measure(&double, &format!("StartJobRun, {how}"), "StartJobRun", start.to_string()).await;
    }
}
