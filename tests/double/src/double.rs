//! The double as a test holds it.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;

use crate::{
    clock::Clock,
    error::AwsError,
    faults::Faults,
    glue::{
        Glue,
        connections::ConnectionScript,
        crawlers::{CrawlScript, CrawlerSettings},
        jobs::JobDefinition,
        triggers::{Firing, TriggerTimes},
    },
    iam::{AccessKey, Iam, Role},
    limits::Limits,
    logs::LogPages,
    requests::Requests,
    seed::Seed,
    state::State,
    wire::server::{self, ListenError, Serving},
};

/// Stops the server when the last handle is dropped.
#[derive(Debug)]
struct Listener {
    address: SocketAddr,
    stop: watch::Sender<Serving>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.send_replace(Serving::Stopped);
    }
}

/// A running double. Clones are handles on the same double. It stops when the last handle is dropped, or by
/// [`Double::stop`].
#[derive(Clone, Debug)]
pub struct Double {
    state: Arc<State>,
    listener: Arc<Listener>,
}

impl Double {
    /// Starts a double on a free port of 127.0.0.1, on the current tokio runtime.
    pub async fn start() -> Result<Self, ListenError> {
        Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a double on this address; port 0 is any free port.
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let socket = server::listen(address).await?;
        let address = socket.local_addr().unwrap_or(address);
        let state = Arc::new(State::new());
        let (stop, stopped) = watch::channel(Serving::Accepting);
        tokio::spawn(server::serve(socket, stopped, {
            let state = state.clone();
            move |request| state.clone().handle(request)
        }));
        Ok(Self { state, listener: Arc::new(Listener { address, stop }) })
    }

    /// Closes the listener and all connections. The record of requests can still be read.
    pub fn stop(&self) {
        self.listener.stop.send_replace(Serving::Stopped);
    }

    /// Closes all connections and refuses new ones until [`Double::accept_connections`]. Its port stays reserved.
    pub fn refuse_connections(&self) {
        self.listener.stop.send_replace(Serving::Refusing);
    }

    /// Accepts connections again.
    pub fn accept_connections(&self) {
        self.listener.stop.send_replace(Serving::Accepting);
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// Its URL, `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address)
    }

    /// An access key of [`DEFAULT_ACCOUNT`](crate::iam::DEFAULT_ACCOUNT), made at the start.
    #[must_use]
    pub fn default_key(&self) -> AccessKey {
        self.state.default_key.clone()
    }

    /// The environment variables with which a process calls this double with the default key.
    #[must_use]
    pub fn env(&self, region: &str) -> Vec<(String, String)> {
        let key = self.default_key();
        [
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_ACCESS_KEY_ID", key.id),
            ("AWS_SECRET_ACCESS_KEY", key.secret),
            ("AWS_REGION", region.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The clock that Glue's behaviour depends on.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.state.clock
    }

    /// Accounts, access keys, roles and permissions.
    #[must_use]
    pub fn iam(&self) -> &Iam {
        &self.state.iam
    }

    /// Faults to inject into calls.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// Rate limits by operation.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.state.limits
    }

    /// The record of requests.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.state.requests
    }

    /// The state of Glue in all accounts and regions, to read or change directly.
    #[must_use]
    pub fn glue(&self) -> &Glue {
        &self.state.glue
    }

    /// Switches the check of signatures on (the default) or off. Unknown keys and tokens are refused in both cases.
    pub fn check_signatures(&self, check: bool) {
        self.state.set_check_signatures(check);
    }

    /// Applies a seed. It stops at the first definition that Glue would refuse; the parts before it are applied.
    pub fn apply(&self, seed: Seed) -> Result<(), AwsError> {
        self.state.apply(seed)
    }

    /// Adds an account, unless it exists.
    pub fn define_account(&self, account: &str) {
        self.state.iam.define_account(account);
    }

    /// Adds an access key, or changes the secret of the key with this id.
    pub fn define_access_key(&self, key: &AccessKey) {
        self.state.iam.define_access_key(key);
    }

    /// Adds a role, or replaces the role with this ARN.
    pub fn define_role(&self, role: Role) {
        self.state.iam.define_role(role);
    }

    /// Creates a job, or replaces the definition and script of the job with this name.
    pub fn define_job(&self, account: &str, region: &str, job: JobDefinition) {
        self.state.glue.with_region(account, region, |region| region.define_job(job));
    }

    /// Sets whether the runs of a deleted job are no longer found by their ids, and their stops refused one by one. By
    /// default they are found. AWS documents neither. `GetJobRuns` is refused in both cases.
    pub fn forget_runs_of_deleted_jobs(&self, account: &str, region: &str, forget: bool) {
        self.state.glue.with_region(account, region, |region| region.forget_runs_of_deleted_jobs(forget));
    }

    /// The runs of a job as `GetJobRun` shows them now, oldest first.
    #[must_use]
    pub fn runs(&self, account: &str, region: &str, job: &str) -> Vec<Value> {
        self.state.glue.with_region(account, region, |region| {
            region.job_runs(job).iter().map(|run| serde_json::to_value(run).unwrap_or_default()).collect()
        })
    }

    /// The arguments that a run's script gets: defaults, the run's own, and those that cannot be overridden.
    #[must_use]
    pub fn effective_arguments(&self, account: &str, region: &str, job: &str, run: &str) -> BTreeMap<String, String> {
        self.state.glue.with_region(account, region, |region| region.effective_arguments(job, run))
    }

    /// Creates a crawler, or replaces the definition and script of the crawler with this name. Fails when its
    /// schedule is invalid.
    pub fn define_crawler(
        &self,
        account: &str,
        region: &str,
        crawler: CrawlerSettings,
        script: CrawlScript,
    ) -> Result<(), AwsError> {
        self.state.glue.with_region(account, region, |region| region.define_crawler(crawler.with_defaults(), script))
    }

    /// The firings of a trigger with what each started, oldest first.
    #[must_use]
    pub fn firings(&self, account: &str, region: &str, trigger: &str) -> Vec<Firing> {
        self.state.glue.with_region(account, region, |region| region.firings(trigger))
    }

    /// Delivers an event to an EVENT trigger, as `EventBridge` does.
    pub fn notify_event(&self, account: &str, region: &str, trigger: &str) -> Result<(), AwsError> {
        self.state.glue.with_region(account, region, |region| region.notify_event(trigger))
    }

    /// Sets how long triggers stay in transitional states such as ACTIVATING.
    pub fn set_trigger_times(&self, account: &str, region: &str, times: TriggerTimes) {
        self.state.glue.with_region(account, region, |region| region.set_trigger_times(times));
    }

    /// Sets how a connection's creation, updates and tests end from now on. The name `*` stands for every connection
    /// without a script of its own, and for tests by `TestConnectionInput`.
    pub fn script_connection(&self, account: &str, region: &str, name: &str, script: ConnectionScript) {
        self.state.glue.with_region(account, region, |region| region.script_connection(name, script));
    }

    /// The last input of a connection in the account's own catalog, with its secrets.
    #[must_use]
    pub fn connection_input(&self, account: &str, region: &str, name: &str) -> Option<Value> {
        self.state.glue.with_region(account, region, |region| region.connection_input(account, name))
    }

    /// Sets how pages of log events are cut in an account and region.
    pub fn set_log_pages(&self, account: &str, region: &str, pages: LogPages) {
        self.state.glue.with_region(account, region, |region| region.logs.set_pages(pages));
    }

    /// Lets all tokens of pages of log events expire that were given out until now.
    pub fn expire_log_tokens(&self, account: &str, region: &str) {
        self.state.glue.with_region(account, region, |region| region.logs.expire_tokens());
    }

    /// Puts an object into S3. Its bucket is created if it does not exist.
    pub fn put_object(&self, bucket: &str, key: &str, content: impl Into<Bytes>) {
        self.state.buckets.create(bucket);
        self.state.buckets.put(bucket, key, content.into());
    }

    /// Runs an operation of Glue as another client, without signatures, limits and faults. It is not recorded.
    pub fn call(&self, account: &str, region: &str, operation: &str, body: &Value) -> Result<Value, AwsError> {
        self.state.call(account, region, operation, body)
    }
}
