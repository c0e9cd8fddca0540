//! How the controller reaches AWS: through a proxy, and whose certificates it trusts.

use std::sync::{Arc, Mutex};

use kube_glue::api::run::Phase;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::harness::{TestEnv, WAIT_TIMEOUT, ready_condition};

/// A proxy that forwards nothing, and the first line of each request to it.
struct Refusing {
    url: String,
    lines: watch::Receiver<Vec<String>>,
}

impl Refusing {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, lines) = watch::channel(Vec::new());
        let sender = Arc::new(Mutex::new(sender));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = Arc::clone(&sender);
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    drop(stream.read_line(&mut line).await);
                    sender.lock().expect("a sender").send_modify(|lines| lines.push(line.trim_end().to_owned()));
                    drop(stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await);
                });
            }
        });
        Self { url, lines }
    }

    async fn wait_for(&self, line: &str) {
        let mut lines = self.lines.clone();
        let waited = timeout(WAIT_TIMEOUT, lines.wait_for(|lines| lines.iter().any(|one| one.starts_with(line)))).await;
        assert!(waited.is_ok(), "no {line:?} in {:?}", self.lines.borrow());
    }
}

#[tokio::test]
async fn calls_to_aws_go_through_the_proxy_except_where_no_proxy_says_otherwise() {
    let proxy = Refusing::start().await;
    let mut env = TestEnv::with_credentials("proxy").await;
    let double = env.aws.remove("AWS_ENDPOINT_URL").expect("an endpoint");
    env.aws.insert("HTTPS_PROXY", proxy.url.clone());
    // The API server of the tests is at this address, too.
    env.aws.insert("NO_PROXY", "127.0.0.1".to_owned());
    env.create_run("one", "etl", json!({})).await;
    env.start_controller();
    proxy.wait_for("CONNECT glue.eu-west-1.amazonaws.com:443 HTTP/1.1").await;
    // Nothing was sent to AWS: the controller sends the start again at once, and does not look the run up.
    let message = env.wait_for_reason("one", "AwsUnreachable").await;
    assert!(message.contains("NotSent") && message.contains("tunnel error"), "{message}");
    env.kill_controller();

    env.aws.remove("HTTPS_PROXY");
    env.aws.extend([("AWS_ENDPOINT_URL", double.clone()), ("HTTP_PROXY", proxy.url.clone())]);
    let before = proxy.lines.borrow().len();
    env.start_controller();
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(proxy.lines.borrow().len(), before, "NO_PROXY has the host");
    env.kill_controller();

    env.aws.remove("NO_PROXY");
    env.start_controller();
    env.create_run("two", "etl", json!({})).await;
    proxy.wait_for(&format!("POST {double}")).await;
}

#[tokio::test]
async fn the_certificates_of_aws_ca_bundle_are_trusted_and_no_others() {
    let mut env = TestEnv::with_credentials("ca-bundle").await;
    // A server with a certificate that the system does not trust, although it is not AWS.
    env.aws.insert("AWS_ENDPOINT_URL", env.plane.server().to_owned());
    env.create_run("one", "etl", json!({})).await;
    let is_untrusted = |run: &_| ready_condition(run).1.contains("invalid peer certificate");
    env.start_controller();
    env.wait_until("one", "the certificate is not trusted", is_untrusted).await;
    env.kill_controller();
    env.aws.insert("AWS_CA_BUNDLE", env.plane.authority().display().to_string());
    env.start_controller();
    let answers = |run: &_| !ready_condition(run).1.is_empty() && !is_untrusted(run);
    let run = env.wait_until("one", "the server answers", answers).await;
    assert!(ready_condition(&run).1.contains("HTTP status"), "{run:?}");
}

#[tokio::test]
async fn a_bundle_that_cannot_be_used_ends_the_program_with_its_name() {
    let mut env = TestEnv::with_credentials("ca-wrong").await;
    env.aws.insert("AWS_CA_BUNDLE", "/nowhere/ca.pem".to_owned());
    env.start_controller();
    env.wait_for_log("it", "running the controllers: reading /nowhere/ca.pem (AWS_CA_BUNDLE)").await;
    env.kill_controller();
}
