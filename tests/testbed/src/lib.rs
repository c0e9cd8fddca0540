//! The test bed of kube-glue: a real control plane, the real kubectl and helm, and the kubelet's part.
//!
//! - [`assets`]: the programs, found or built once from Go modules and kept.
//! - [`control_plane`]: etcd, kube-apiserver and kube-controller-manager on loopback ports.
//! - [`audit`]: the API server's own record of who wrote what.
//! - [`kubelet`]: Pods run as local processes, with the environment, probes and rights they were given.
//! - [`controller`]: the program under test, built by cargo.
//! - [`tools`]: kubectl and helm, as a person runs them.
//!
//! Whatever is started here is gone when its handle is dropped or this process ends, by whatever way.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod assets;
pub mod audit;
pub mod control_plane;
pub mod controller;
mod error;
pub mod guard;
mod http;
pub mod kubelet;
mod progress;
pub mod tools;

pub use crate::{
    assets::Assets,
    control_plane::{ControlPlane, Options},
    error::{Error, Result},
    kubelet::{Kubelet, RunningContainer, RunningPod, Signal},
    progress::human,
    tools::{Output, Tool},
};
