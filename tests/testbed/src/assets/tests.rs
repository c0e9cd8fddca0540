use super::*;

#[test]
fn versions_come_from_the_go_modules() {
    for (module, major) in [(&KUBERNETES, "v1."), (&ETCD, "v3."), (&HELM, "v4.")] {
        assert!(module.version().starts_with(major), "{}: {}", module.go_name, module.version());
    }
}
