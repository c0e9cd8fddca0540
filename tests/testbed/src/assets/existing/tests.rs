use super::same_minor;

#[test]
fn versions_match_by_major_and_minor() {
    assert!(same_minor("Kubernetes v1.36.0", "v1.36.3"));
    assert!(same_minor("Client Version: v1.36.9-gke.1\nKustomize Version: v5.5.0", "v1.36.3"));
    assert!(!same_minor("Client Version: v1.32.4-dispatcher", "v1.36.3"));
    assert!(same_minor("etcd Version: 3.6.1\nGit SHA: abc\nGo Version: go1.26.0", "v3.6.16"));
    assert!(!same_minor("etcd Version: 3.5.21", "v3.6.16"));
    assert!(same_minor("v4.3+g1a2b3c", "v4.3.1"));
    assert!(!same_minor("v3.18.0+gcc7e4ab", "v4.3.1"));
    assert!(!same_minor("", "v4.3.1"));
}
