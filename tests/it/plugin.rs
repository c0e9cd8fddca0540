//! `kubectl glue`: the real binary against the real API server, beside a controller.

mod from_kubectl;
mod glue_resources;
mod import;
mod logs;
mod overview;
mod packaging;
mod refusals;
mod runs;
mod signals;
mod workflows;

use std::process::{Output, Stdio};

use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{TestEnv, WAIT_TIMEOUT};

/// What a command printed, and its exit code.
#[derive(Debug)]
struct Printed {
    code: Option<i32>,
    data: String,
    messages: String,
}

impl From<Output> for Printed {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), data: text(&output.stdout), messages: text(&output.stderr) }
    }
}

impl Printed {
    /// The data as lines.
    fn lines(&self) -> Vec<&str> {
        self.data.lines().collect()
    }

    /// The same, where the command has succeeded.
    fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

impl TestEnv {
    /// The plugin in the test's namespace, with the test's Glue as the user's AWS and no credentials of the user.
    fn plugin(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-glue"));
        command.args(line.split_whitespace()).args(["--namespace", &self.namespace]);
        command.env("KUBECONFIG", &self.kubeconfig).stdin(Stdio::null()).kill_on_drop(true);
        let own = std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("AWS_"));
        for name in own {
            command.env_remove(name);
        }
        let none = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|name| (name, "/nonexistent"));
        command.envs(none).env("AWS_EC2_METADATA_DISABLED", "true").envs(&self.aws);
        command
    }

    async fn glue(&self, line: &str) -> Printed {
        let output = timeout(WAIT_TIMEOUT, self.plugin(line).output()).await.expect("an end").expect("the plugin");
        output.into()
    }
}
