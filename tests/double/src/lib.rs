//! A double of AWS Glue and STS, over HTTP on loopback, for tests and demonstrations of kube-glue.
//!
//! It speaks the protocols that AWS's own clients speak (AWS JSON 1.1 for Glue, AWS Query for STS, Signature
//! Version 4), and keeps what it was told as Glue would: runs live on a clock that a test can hold and step,
//! slots are counted, pages have tokens, keys have accounts and rights. Faults can be put into any call, and
//! every request is on record.
//!
//! ```
//! use std::time::Duration;
//! use kube_glue_double::{Double, Fault, JobDefinition, RunScript, Then, DEFAULT_ACCOUNT};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let double = Double::start().await?;
//! double.clock().hold();
//! double.define_job(
//!     DEFAULT_ACCOUNT,
//!     "eu-west-1",
//!     JobDefinition::new("etl").script(RunScript::fails("no such bucket").running(Duration::from_secs(30))),
//! );
//! // For the process under test: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
//! let env = double.env("eu-west-1");
//! assert_eq!(env[0], ("AWS_ENDPOINT_URL".to_owned(), double.url()));
//!
//! // The second start that arrives is executed on, and its answer is lost.
//! double.faults().add(Fault::on("StartJobRun").name("etl").nth(2).then(Then::DropAnswerAfterWork));
//!
//! // Somebody else starts a run; then time passes.
//! let body = serde_json::json!({ "JobName": "etl", "Arguments": { "--day": "1" } });
//! double.call(DEFAULT_ACCOUNT, "eu-west-1", "StartJobRun", &body)?;
//! double.clock().step(Duration::from_secs(60));
//! let runs = double.runs(DEFAULT_ACCOUNT, "eu-west-1", "etl");
//! assert_eq!(runs[0]["JobRunState"], "FAILED");
//!
//! // What arrived over the wire (nothing, here), and waiting for what will.
//! assert_eq!(double.requests().of("StartJobRun").name("etl").count(), 0);
//! let waiting = double.requests().wait_for(|request| &*request.call.operation == "StartJobRun");
//! # drop(waiting);
//! # Ok(())
//! # }
//! ```
//!
//! Where things are: [`wire`] is HTTP, signatures and protocols; [`front`] is a request's way through limits,
//! faults and rights; [`glue`] and [`sts`] do the work; [`clock`], [`faults`], [`limits`], [`requests`] and
//! [`iam`] are what a test holds in its hands; [`admin`] is the same for other processes, and the program
//! `glue-double` is the double as a process of its own. Within [`glue`] each kind of thing is a room that adds its
//! operations to one table: [`glue::jobs`], [`glue::runs`], [`glue::crawlers`], [`glue::triggers`] (workflows with
//! them), [`glue::connections`], [`glue::tags`].
//!
//! How things go is told by scripts, since nothing is really run: [`RunScript`], [`CrawlScript`],
//! [`ConnectionScript`], [`TriggerTimes`]. Whatever else exists is created over the wire or by [`Double::call`].
//!
//! What rests on AWS's documentation alone is marked in the conformance cases (`tests/conformance`), which run
//! boto3 against this double.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod admin;
pub mod clock;
pub mod dispatch;
pub mod error;
mod event_queue;
pub mod faults;
pub mod glue;
pub mod iam;
pub mod limits;
mod metadata;
pub mod requests;
pub(crate) mod seconds;
pub mod seed;
pub mod sts;
pub mod wire;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;
use tokio::sync::watch;

pub use crate::{
    clock::{Clock, Time},
    error::AwsError,
    faults::{Fault, Faults, Then},
    glue::{
        connections::{ConnectionScript, Failure},
        crawlers::{Changes, CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings},
        jobs::JobDefinition,
        runs::{JobRunState, Outcome, RunPlan, RunScript},
        triggers::{Firing, TriggerTimes},
    },
    iam::{AccessKey, DEFAULT_ACCOUNT, Iam, Policy, Role},
    limits::Limits,
    requests::{Keep, Request, Requests},
    seed::Seed,
    wire::server::ListenError,
};

/// What all requests share.
#[derive(Debug)]
pub(crate) struct State {
    clock: Clock,
    iam: Iam,
    faults: Faults,
    limits: Limits,
    requests: Requests,
    glue: glue::Glue,
    default_key: AccessKey,
    check_signatures: AtomicBool,
}

impl State {
    fn new() -> Self {
        let clock = Clock::default();
        let iam = Iam::default();
        let default_key = iam.new_access_key(DEFAULT_ACCOUNT, "kube-glue");
        Self {
            glue: glue::Glue::new(clock.clone()),
            clock,
            iam,
            faults: Faults::default(),
            limits: Limits::default(),
            requests: Requests::default(),
            default_key,
            check_signatures: AtomicBool::new(true),
        }
    }

    fn checks_signatures(&self) -> bool {
        self.check_signatures.load(Ordering::Relaxed)
    }

    fn set_check_signatures(&self, check: bool) {
        self.check_signatures.store(check, Ordering::Relaxed);
    }
}

/// Stops the listener when the last handle goes.
#[derive(Debug)]
struct Listener {
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// A running double. Clones are handles on the same one; it ends with the last of them, or by [`Double::stop`].
#[derive(Clone, Debug)]
pub struct Double {
    state: Arc<State>,
    listener: Arc<Listener>,
}

impl Double {
    /// Starts one on a free port of 127.0.0.1. It lives on the tokio runtime it is started in.
    pub async fn start() -> Result<Self, ListenError> {
        Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts one on this address.
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let socket = wire::server::listen(address).await?;
        let address = socket.local_addr().unwrap_or(address);
        let state = Arc::new(State::new());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(wire::server::serve(socket, stopped, {
            let state = state.clone();
            move |request| state.clone().handle(request)
        }));
        Ok(Self { state, listener: Arc::new(Listener { address, stop }) })
    }

    /// Closes the listener and all connections. What was recorded can still be read.
    pub fn stop(&self) {
        self.listener.stop.send_replace(true);
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// Its URL, for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address)
    }

    /// The key of the account that is there from the start.
    #[must_use]
    pub fn default_key(&self) -> AccessKey {
        self.state.default_key.clone()
    }

    /// The environment of a process that shall call this double with the default key.
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

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.state.clock
    }

    /// Accounts, keys, roles and rights.
    #[must_use]
    pub fn iam(&self) -> &Iam {
        &self.state.iam
    }

    /// What goes wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// How many requests it takes.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.state.limits
    }

    /// The record of requests.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.state.requests
    }

    /// The regions, to look into them or change them directly.
    #[must_use]
    pub fn glue(&self) -> &glue::Glue {
        &self.state.glue
    }

    /// Whether signatures are checked (they are, from the start). Keys and tokens are looked up in any case.
    pub fn check_signatures(&self, check: bool) {
        self.state.set_check_signatures(check);
    }

    /// Tells it everything of a seed.
    ///
    /// An error says which part makes no sense to Glue; what came before it is in force.
    pub fn apply(&self, seed: Seed) -> Result<(), AwsError> {
        self.state.apply(seed)
    }

    /// Makes an account known.
    pub fn define_account(&self, account: &str) {
        self.state.iam.define_account(account);
    }

    /// Adds an access key, or gives the one with this id a new secret.
    pub fn define_access_key(&self, key: &AccessKey) {
        self.state.iam.define_access_key(key);
    }

    /// Adds a role, or replaces the one with this ARN.
    pub fn define_role(&self, role: Role) {
        self.state.iam.define_role(role);
    }

    /// Creates a job, or gives the one of this name a new definition and script.
    pub fn define_job(&self, account: &str, region: &str, job: JobDefinition) {
        self.state.glue.with_region(account, region, |region| region.define_job(job));
    }

    /// The runs of a job as Glue shows them now, oldest first.
    #[must_use]
    pub fn runs(&self, account: &str, region: &str, job: &str) -> Vec<Value> {
        self.state.glue.with_region(account, region, |region| {
            region.job_runs(job).iter().map(|run| serde_json::to_value(run).unwrap_or_default()).collect()
        })
    }

    /// What the script of a run would see as its arguments.
    #[must_use]
    pub fn effective_arguments(
        &self,
        account: &str,
        region: &str,
        job: &str,
        run: &str,
    ) -> std::collections::BTreeMap<String, String> {
        self.state.glue.with_region(account, region, |region| region.effective_arguments(job, run))
    }

    /// Creates a crawler, or gives the one of this name a new definition and script. Fails when its schedule is
    /// none.
    pub fn define_crawler(
        &self,
        account: &str,
        region: &str,
        crawler: CrawlerSettings,
        script: CrawlScript,
    ) -> Result<(), AwsError> {
        self.state.glue.with_region(account, region, |region| region.define_crawler(crawler.with_defaults(), script))
    }

    /// What a trigger's firings started, oldest first.
    #[must_use]
    pub fn firings(&self, account: &str, region: &str, trigger: &str) -> Vec<Firing> {
        self.state.glue.with_region(account, region, |region| region.firings(trigger))
    }

    /// Lets an event arrive for an EVENT trigger, as `EventBridge` would.
    pub fn notify_event(&self, account: &str, region: &str, trigger: &str) -> Result<(), AwsError> {
        self.state.glue.with_region(account, region, |region| region.notify_event(trigger))
    }

    /// Sets how long triggers stay in the states on the way.
    pub fn set_trigger_times(&self, account: &str, region: &str, times: TriggerTimes) {
        self.state.glue.with_region(account, region, |region| region.set_trigger_times(times));
    }

    /// Says how a connection's creation, updates and tests end from now on; `*` is every connection without a
    /// script of its own, and tests of an input that is no connection yet.
    pub fn script_connection(&self, account: &str, region: &str, name: &str, script: ConnectionScript) {
        self.state.glue.with_region(account, region, |region| region.script_connection(name, script));
    }

    /// A connection's input in the account's own catalog as it was last given, secrets included.
    #[must_use]
    pub fn connection_input(&self, account: &str, region: &str, name: &str) -> Option<Value> {
        self.state.glue.with_region(account, region, |region| region.connection_input(account, name))
    }

    /// Runs an operation of Glue as somebody else would: past signatures, limits and faults, and unrecorded.
    pub fn call(&self, account: &str, region: &str, operation: &str, body: &Value) -> Result<Value, AwsError> {
        self.state.call(account, region, operation, body)
    }
}
