//! kube-glue-double
