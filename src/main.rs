//! The `kube-glue` controller.
fn main() {}
