//! kube-glue runs AWS Glue from Kubernetes.
pub mod api;
pub mod controllers;
pub mod glue;
pub mod metrics;
pub mod operator;
