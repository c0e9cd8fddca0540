use super::repository;

#[test]
fn an_image_is_known_by_its_repository() {
    assert_eq!(repository("kube-glue"), "kube-glue");
    assert_eq!(repository("ghcr.io/a/kube-glue:0.1.0"), "ghcr.io/a/kube-glue");
    assert_eq!(repository("localhost:5000/kube-glue"), "localhost:5000/kube-glue");
    assert_eq!(repository("localhost:5000/a:1@sha256:0f"), "localhost:5000/a");
}
