//! One controller process: start, log, HTTP requests, SIGTERM and SIGKILL.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use kube_glue_testbed::controller;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::WAIT_TIMEOUT;

/// A running controller. It gets SIGKILL when this value is dropped and when the test process ends in any way.
pub struct ControllerProcess {
    child: Child,
    log: watch::Receiver<String>,
    reader: Option<JoinHandle<()>>,
}

impl ControllerProcess {
    /// Starts the program with these flags against the cluster of `kubeconfig`. Its environment has no variables of AWS
    /// but those in `aws` and, by default, the one that disables EC2 metadata.
    pub fn start(flags: &BTreeMap<String, String>, kubeconfig: &Path, aws: &BTreeMap<&str, String>) -> Self {
        let flags = flags.iter().map(|(flag, value)| (flag.as_str(), value.as_str()));
        let aws = aws.iter().map(|(name, value)| (*name, value.as_str()));
        let program = Path::new(env!("CARGO_BIN_EXE_kube-glue"));
        let mut child = controller::command(program, flags, kubeconfig, aws)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the controller process");
        let lines = BufReader::new(child.stderr.take().expect("its log"));
        let (sender, log) = watch::channel(String::new());
        let reader = thread::spawn(move || {
            for line in lines.split(b'\n').map_while(Result::ok) {
                sender.send_modify(|log| {
                    log.push_str(&String::from_utf8_lossy(&line));
                    log.push('\n');
                });
            }
        });
        Self { child, log, reader: Some(reader) }
    }

    /// Whether its log is still open: a process that exited by itself has closed it.
    pub fn is_running(&self) -> bool {
        self.log.has_changed().is_ok()
    }

    /// The bytes of its memory that are resident.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its resident memory");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024
    }

    /// Its log so far, with notifications of new lines.
    pub fn log(&self) -> watch::Receiver<String> {
        self.log.clone()
    }

    /// Sends SIGTERM, as a kubelet does, and waits for the exit.
    pub async fn terminate(mut self) -> ExitStatus {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        // The log is closed at the exit. Waiting for it leaves the runtime to the double, which must answer meanwhile.
        let end = async { while self.log.changed().await.is_ok() {} };
        timeout(WAIT_TIMEOUT, end).await.expect("the exit in time");
        self.child.wait().expect("its exit status")
    }

    /// Status line and body of its answer to a GET request.
    pub async fn get(&self, path: &str) -> (String, String) {
        let serving = "serving /livez, /readyz and /metrics on ";
        let mut log = self.log.clone();
        let log = timeout(WAIT_TIMEOUT, log.wait_for(|log| log.contains(serving)));
        let address = {
            let log = log.await.expect("a server").expect("a log");
            let (_, rest) = log.split_once(serving).expect("the line");
            rest.split_whitespace().next().expect("an address").to_owned()
        };
        let mut stream = TcpStream::connect(&address).await.expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    }
}

impl Drop for ControllerProcess {
    fn drop(&mut self) {
        // It may have exited by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}
