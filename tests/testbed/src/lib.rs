//! The test bed of kube-glue: a real control plane, real kubectl and Helm, and an emulated kubelet.
//!
//! - [`acto`]: each property of each kind through several values and back, by the schemas.
//! - [`assets`]: the programs, found on this machine or built from Go modules.
//! - [`control_plane`]: etcd, kube-apiserver and kube-controller-manager on loopback ports.
//! - [`audit`]: the API server's audit log.
//! - [`kubelet`]: runs Pods as local processes, with their environment, probes and permissions.
//! - [`controller`]: the program under test, built by cargo.
//! - [`sample_resources`]: what the samples name in Glue but do not create.
//! - [`progress`], [`proof`]: what the programs of the test bed show: how far they came, and what they found.
//! - [`lives`]: what users and Glue do to one object of each kind, and what it must come to.
//! - [`openlineage`]: a receiver of OpenLineage events.
//! - [`relay`]: a relay before the API server that sees each write and each event of a watch.
//! - [`replica`]: the program under test as a process that is killed and paused.
//! - [`chaos`]: lives of objects while everything around them fails.
//! - [`guards`]: the guards of the program that can be taken away, to see that this is found.
//! - [`sieve`]: lives of objects with a controller that is killed, misses events, or sees an older state.
//! - [`custom_resources`]: the installation of `crds/`.
//! - [`tools`]: kubectl and Helm as commands.
//! - [`guard`]: child processes that end with this process.
//!
//! Everything that is started here ends when its handle is dropped or when this process ends, also by SIGKILL.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod acto;
pub mod assets;
pub mod audit;
pub mod chaos;
pub mod control_plane;
pub mod controller;
pub mod custom_resources;
mod error;
pub mod guard;
pub mod guards;
mod http;
mod interrupt;
pub mod kubelet;
pub mod lives;
mod machine;
pub mod openlineage;
pub mod progress;
pub mod proof;
pub mod relay;
pub mod replica;
pub mod sample_resources;
pub mod sieve;
pub mod tools;

pub use crate::{
    assets::Assets,
    control_plane::{ControlPlane, Options},
    error::{Error, Result, tail},
    interrupt::interrupted,
    kubelet::{IMAGE, Kubelet, RunningContainer, RunningPod, SET_IMAGE, Signal},
    machine::{Machine, machine},
    progress::format_duration,
    proof::Proof,
    tools::{Output, Tool},
};
