//! kube-glue runs AWS Glue from Kubernetes. This page is the map of its code.
//!
//! # Rooms
//!
//! Each room depends on those to its right only; [`metrics`] is a leaf that every room may report to.
//!
//! ```text
//! main -> operator -> controllers -> glue
//!                                 \-> api
//! ```
//!
//! | room | what it is for | it knows |
//! |---|---|---|
//! | [`operator`] | the process: command line, logs, probes, lease, orderly end | Kubernetes |
//! | [`controllers`] | what keeps the objects and Glue in line | Kubernetes, through `api` and `glue` |
//! | [`glue`] | AWS in our own words: calls, errors, identities, and Glue as a watch instead of polls | AWS |
//! | [`api`] | the custom resources: what people write and read, and the rules that the API server holds | neither |
//! | [`metrics`] | what is counted | nothing |
//!
//! The AWS SDK is known in one place, [`glue::aws`]; everything else works with [`glue::Error`] and its
//! [`glue::ErrorKind`]es. Every decision is taken in a pure function, which has no client, no clock and no lock: for
//! the one that must never be wrong, whether a run is started, that is [`controllers::run::plan::plan`].
//!
//! # Kinds and lives
//!
//! A kind says about itself what nobody else can ([`Kind`](controllers::runtime::kind::Kind)) and names the
//! [`Lifecycle`](controllers::runtime::lifecycle::Lifecycle) that its objects have. There are two: that of a run
//! ([`controllers::run`](mod@controllers::run)), which is started once and comes to an end, and that of what is
//! declared ([`controllers::declared`]), which is kept in line for as long as the object exists. What both need,
//! from the watch to the write, is one [`shell`](controllers::runtime::reconciler). The next kind is its `api`, its calls in
//! [`glue::aws`], a [`Source`](glue::poller::Source), its impl, and one line in [`controllers::run()`].
//!
//! # The way of one object
//!
//! A [`GlueJobRun`](api::GlueJobRun) from `kubectl apply` to its end:
//!
//! 1. The API server checks it against the schema of [`api::job_run`] and the rules of [`api::rules`]. What
//!    can be known to be wrong never becomes an object. Its first status is `observedGeneration: -1`, so that
//!    no tool takes it for done.
//! 2. The watch in [`controllers::runtime::watch`] brings it to the replica that holds the lease
//!    ([`controllers::runtime::leadership`], which the `operator` keeps), and [`controllers::runtime::reconciler::reconcile`]
//!    begins a pass.
//! 3. The pass finds the client: [`controllers::runtime::credentials::resolver`] reads the Secret, [`glue::identity`] works out who
//!    that is to AWS, [`glue::clients`] has one client for each such identity.
//! 4. What is known becomes [`Facts`](controllers::run::facts::Facts), and the plan answers with the status
//!    that must stand and the one step that may follow. [`controllers::runtime::patch`] puts the finalizer and then
//!    the *intent* into the object, each on the resource version that it was decided on.
//! 5. Only then [`start_job_run`](glue::Glue::start_job_run) is sent, once, with the intent's key among the
//!    run's arguments. The SDK retries nothing. The answer is written down at once; no answer leads to
//!    looking for the key ([`Call::LookUp`](controllers::run::step::Call::LookUp)), not to another start. A crawl
//!    carries no key: [`controllers::run::turn`] says how it is told by what was there before.
//! 6. The pass ends. From here on [`glue::poller`] asks Glue about all live runs of a job together, and wakes
//!    the objects whose run has changed. Nothing sleeps, and nothing asks for one object alone when a page
//!    shows fifty.
//! 7. Each change becomes a status with its conditions ([`controllers::run::conditions`]) and an Event
//!    ([`controllers::runtime::events`]). A pass that changes nothing writes nothing.
//! 8. At the end of the run the finalizer goes. A finished object needs nobody any more: it is deleted at
//!    once, with or without a controller.
//!
//! A step that something stands in the way of says so in the conditions, with the reason and the remedy, and
//! is tried again after a pause, or at once when what it waited for moves: the Secret, the place in the line
//! ([`controllers::runtime::queue`]), the run.

pub mod api;
pub mod controllers;
pub mod glue;
pub mod metrics;
pub mod operator;
