//! kube-glue
