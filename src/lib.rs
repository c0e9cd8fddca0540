//! kube-glue runs AWS Glue from Kubernetes. This page is the map of its code.
//!
//! # Modules
//!
//! Each module depends on those to its right only. [`lineage`], [`metrics`], [`redaction`], [`failpoints`] and
//! [`mod@api_server`] are leaves that every module may use.
//!
//! ```text
//! main -> operator, plugin -> controllers -> glue -> api
//! ```
//!
//! | module | what it is for | it knows |
//! |---|---|---|
//! | [`operator`] | the process: command line, logs, probes, lease, shutdown | Kubernetes |
//! | [`plugin`] | `kubectl glue`: its commands | Kubernetes |
//! | [`controllers`] | the kinds, their three lifecycles, and the runtime that all of them share | Kubernetes, and AWS through `glue` |
//! | [`glue`] | AWS as the controllers need it: calls, errors, identities, and Glue as a watch | AWS |
//! | [`api`] | the custom resources: their schemas, and the rules that the API server enforces | neither |
//! | [`lineage`] | runs and their datasets as OpenLineage events, and the queue in front of a receiver | nothing |
//! | [`mod@api_server`] | the connection to the API server | Kubernetes |
//! | [`metrics`] | the counters | nothing |
//! | [`redaction`] | what keeps secret values out of every text that is shown | nothing |
//! | [`failpoints`] | where `cargo chaos` ends the process; nothing in the product | nothing |
//!
//! Only [`glue::aws`] knows the AWS SDK; everything else works with [`glue::Error`] and its [`glue::ErrorKind`]. Every
//! decision is a pure function, with no client, clock or lock. Whether something is started is decided by
//! [`start_once::decide`](controllers::runtime::start_once::decide).
//!
//! # Where to look
//!
//! | question | module |
//! |---|---|
//! | Where is a start decided? | [`start_once`](controllers::runtime::start_once) |
//! | What happens to a throttled call? | `Glue::send` in `glue::aws::client`, which reports it to [`glue::rate_limiter`]; its error is an [`ErrorKind`](glue::ErrorKind) of [`glue::error`] |
//! | How is the run of an intent found? | [`search`](glue::job_runs::search) |
//! | Who may call AWS now? | `glue::rate_limiter::budget` |
//! | Where is the message of a failed run cut? | [`truncated`](controllers::runtime::text::truncated), called in the kind's `render.rs` |
//! | Where are secret values removed from messages? | [`redaction`]; AWS's own words pass `KnownSecrets` in `glue::aws`, and what an object takes from Secrets [`Pass::redactor`](controllers::runtime::pass::Pass::redactor) |
//! | What does the cache keep of a large object? | [`cache_size`](controllers::runtime::cache_size) |
//! | What does a panic end? | [`panics`](controllers::runtime::panics) |
//! | How is an account read whole? | [`reading`](glue::inventory::reading), a few calls at each turn of [`source`](mod@glue::inventory::source) |
//! | Where does an event of lineage come from? | [`lineage`](mod@controllers::runtime::lineage) of the runtime, from what `runs` of the kind says; [`crate::lineage`] makes it |
//! | Which reasons are there? | [`reason`](controllers::runtime::reason) |
//! | What must change for a new field? | see below |
//!
//! # One object from `kubectl apply` to its end
//!
//! 1. The API server checks the [`GlueJobRun`](api::GlueJobRun) against the schema of [`api::job_run`] and the CEL
//!    rules beside it. Its first status is `observedGeneration: -1`, so that no tool takes it for reconciled.
//! 2. The watch ([`watch`](controllers::runtime::watch)) delivers it to the replica that holds the lease, and the
//!    [`reconciler`](controllers::runtime::reconciler) begins a pass.
//! 3. The [`resolver`](controllers::runtime::credentials::resolver) reads the Secret, [`glue::identity`] resolves the AWS
//!    identity, and [`glue::clients`] has one client for each.
//! 4. The lifecycle gathers [`Facts`](controllers::run::facts::Facts), and the [`plan`](controllers::run::plan::plan)
//!    answers with the status that must be in the object and the one step that may follow. The finalizer and then the
//!    *intent* are written, each on the resource version that it was decided on.
//! 5. Only then `StartJobRun` is sent, once, with the intent's key among the run's arguments. The answer is recorded at
//!    once. When it is lost, the controller looks for the key, and does not start again.
//! 6. The [`poller`](glue::poller) asks Glue about all live runs of a job together, and requeues the objects whose run
//!    changed. No pass sleeps.
//! 7. Each change becomes a status with its [`conditions`](controllers::run::conditions) and an Event. A pass that changes
//!    nothing writes nothing.
//! 8. At the end of the run the finalizer is removed. A finished object is deleted at once, also without a controller.
//!
//! # Glossary
//!
//! | term | meaning |
//! |---|---|
//! | pass | one reconcile of one object |
//! | facts | everything that a plan rests on; plain values |
//! | plan | a pure function from facts to a status and one step |
//! | step | what may follow once the status is written: a finalizer, a call to AWS, a pause |
//! | lifecycle | what kinds of one sort share: [`run`](mod@controllers::run) comes to an end, [`declared`](controllers::declared) is kept in sync, an [`inventory`](controllers::inventory) is read again and again |
//! | picture | all that an account has, as one read of an inventory showed it |
//! | demand | what an inventory wants to see of the account; those of one client are read together |
//! | attempt | one try to start and finish a run; retries are further attempts |
//! | intent | the record in the status that a start is about to be sent |
//! | outcome | what AWS answered to a start |
//! | lookup | the search for what an intent started |
//! | baseline | the newest run that existed before a start, where Glue takes no key |
//! | resumption | a new attempt that continues an ended run: only what failed of it runs again |
//! | settle time | how long a sent call can take to show its effect (`--start-settle`) |
//! | observation | what the poller last saw of an item in Glue |
//! | ownership | which of several objects manages a Glue resource |
//! | fingerprint, digest | what stands for secret values in a status, and in memory |
//!
//! # How to add a kind
//!
//! 1. The double first, since all that follows is tested with it: the operations in `tests/double/src/glue`, their names in
//!    `tests/double/tools/reduce_model.py` (which writes `model/shapes.json`), what a lie answers in `faults/lies.rs`, unit
//!    tests with the held clock, and cases in `tests/conformance`, each marked with its source.
//! 2. `src/api/<kind>.rs`: spec, status, CEL rules; add it to [`api::crds`]. Run `cargo crds`.
//! 3. `src/glue/<items>/`: the model of its items in Glue, and a [`Source`](glue::poller::Source) for the poller (lists are
//!    read by [`listing`](glue::poller::listing)); `src/glue/aws/`: its calls, with an error's kind where the code says more
//!    than its HTTP status.
//! 4. `src/controllers/<kind>/`: implement [`Kind`](controllers::runtime::kind::Kind), which names its lifecycle, and
//!    [`RunKind`](controllers::run::RunKind) or [`DeclaredKind`](controllers::declared::DeclaredKind); `Inputs` where the spec
//!    takes values from Secrets, and `redact` then. A kind that starts something returns its intent and asks
//!    [`start_once::decide`](controllers::runtime::start_once::decide): the protocol is not written again. Add a subject to
//!    the model in `controllers/runtime/tests/start_once`, and to its mutations; a run that is found again by its key, to the
//!    worlds of `simulation/kind`. What Glue says of an end that the phase does not is a
//!    [`reason`](controllers::run::facts::ObservedRun::reason) of the observed run. `strip` keeps what plans read. `runs` and
//!    `has_ended` say which runs it shows, for lineage.
//! 5. [`controllers::run()`](controllers::run()): one line. [`reason`](controllers::runtime::reason): its new reasons, and
//!    their rows in `docs/troubleshooting.md`. `plugin/kind.rs`: the kind; for a run, what `kubectl glue run` calls it, and
//!    which fields `rerun` leaves out.
//! 6. Outside `src`. Tests name what is missing: samples in `crds/samples`; its page in `docs`, in the lists of the README and
//!    `docs/README.md`, and among the walked pages of `tests/it/docs.rs`, with the Glue that the samples need in
//!    `tests/testbed/src/sample_resources.rs` (also for the demo); its IAM policy in `docs/credentials.md`, of which the walk
//!    must use every action; its entry in `charts/kube-glue/argocd` (RBAC and the rest of the chart follow from the CRD); a
//!    scenario for each new operation in `tests/it/fault_matrix`, and the matrix' size in `docs/guarantees.md`; its rules
//!    in `tests/it/validation`; its life in `tests/it`, with lost answers, kills and two controllers; its lives in
//!    `tests/testbed/src/lives`, which `cargo chaos` and `cargo sieve` disturb; a line in CHANGELOG.
//!
//! # How to add a field
//!
//! 1. `src/api/<kind>.rs`: the field with its doc, which becomes `kubectl explain`; for a run, its place in the CEL rules
//!    (`IMMUTABLE`, and what excludes `runId`). Run `cargo crds`.
//! 2. `src/glue/<items>/mod.rs`: the field of the request; `src/glue/aws/<items>.rs`: its place in the SDK's call.
//! 3. `src/controllers/<kind>/mod.rs`: from the spec to the request.
//! 4. `tests/it/validation`: good and bad values; the end-to-end test that the double received it; the kind's page in
//!    `docs` and CHANGELOG.

// The documentation is built with private items: it is the architecture page.
#![allow(rustdoc::private_intra_doc_links)]

pub mod api;
pub mod api_server;
pub mod controllers;
pub mod failpoints;
pub mod glue;
pub mod lineage;
pub mod metrics;
pub mod operator;
pub mod plugin;
pub mod redaction;
#[cfg(any(test, feature = "simulation"))]
#[allow(missing_docs, reason = "not part of the product's API")]
pub mod simulation;
