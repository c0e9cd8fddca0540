use super::repository;

#[test]
fn the_repository_of_an_image_has_no_tag_and_digest() {
    assert_eq!(repository("kube-glue"), "kube-glue");
    assert_eq!(repository("ghcr.io/a/kube-glue:0.1.0"), "ghcr.io/a/kube-glue");
    assert_eq!(repository("localhost:5000/kube-glue"), "localhost:5000/kube-glue");
    assert_eq!(repository("localhost:5000/a:1@sha256:0f"), "localhost:5000/a");
}
