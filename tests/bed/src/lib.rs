//! kube-glue-bed
