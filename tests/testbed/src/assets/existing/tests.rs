use super::says;

#[test]
fn the_minor_decides() {
    assert!(says("Kubernetes v1.36.0", "v1.36.3"));
    assert!(says("Client Version: v1.36.9-gke.1\nKustomize Version: v5.5.0", "v1.36.3"));
    assert!(!says("Client Version: v1.32.4-dispatcher", "v1.36.3"));
    assert!(says("etcd Version: 3.6.1\nGit SHA: abc\nGo Version: go1.26.0", "v3.6.16"));
    assert!(!says("etcd Version: 3.5.21", "v3.6.16"));
    assert!(says("v4.3+g1a2b3c", "v4.3.1"));
    assert!(!says("v3.18.0+gcc7e4ab", "v4.3.1"));
    assert!(!says("", "v4.3.1"));
}
