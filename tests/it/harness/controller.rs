//! One controller process: started, listened to, asked over HTTP, killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use kube_glue_testbed::guard;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::PATIENCE;

/// A running controller. Dropping it ends it as a crash would, and so does the end of this process, however it comes.
pub struct Controller {
    child: Child,
    said: watch::Receiver<String>,
    reader: Option<JoinHandle<()>>,
}

impl Controller {
    /// Starts the program with these flags, against the cluster of `kubeconfig`, with AWS's variables as in `aws`.
    pub fn start(flags: &BTreeMap<String, String>, kubeconfig: &Path, aws: &BTreeMap<&str, String>) -> Self {
        let mut child = guard::command(env!("CARGO_BIN_EXE_kube-glue"), Path::new("/dev/null"))
            .arg("run")
            .args(flags.iter().flat_map(|(flag, value)| [flag, value]))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KUBECONFIG", kubeconfig)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(aws)
            .env("RUST_BACKTRACE", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the controller");
        let lines = BufReader::new(child.stderr.take().expect("its log"));
        let (saying, said) = watch::channel(String::new());
        let reader = thread::spawn(move || {
            for line in lines.split(b'\n').map_while(Result::ok) {
                saying.send_modify(|said| {
                    said.push_str(&String::from_utf8_lossy(&line));
                    said.push('\n');
                });
            }
        });
        Self { child, said, reader: Some(reader) }
    }

    /// Whether it has not ended by itself.
    pub fn is_running(&self) -> bool {
        self.said.has_changed().is_ok()
    }

    /// All that it has said.
    pub fn said(&self) -> watch::Receiver<String> {
        self.said.clone()
    }

    /// Tells it to end, as a kubelet does, and waits for that.
    pub async fn terminate(mut self) -> ExitStatus {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(told.success());
        // Its log is closed when it ends; the test's own Glue goes on answering meanwhile.
        let end = async { while self.said.changed().await.is_ok() {} };
        timeout(PATIENCE, end).await.expect("its end");
        self.child.wait().expect("its exit status")
    }

    /// Asks it over HTTP: the answer's status line and body.
    pub async fn get(&self, path: &str) -> (String, String) {
        let serving = "serving /livez, /readyz and /metrics on ";
        let mut said = self.said.clone();
        let said = timeout(PATIENCE, said.wait_for(|said| said.contains(serving)));
        let address = {
            let said = said.await.expect("it serves").expect("its log");
            let (_, rest) = said.split_once(serving).expect("the line");
            rest.split_whitespace().next().expect("an address").to_owned()
        };
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
