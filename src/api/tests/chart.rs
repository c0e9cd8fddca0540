//! The chart contains every kind: its templates read the definitions in `files/crds`, and the kustomization for Argo CD
//! lists them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::api::crds;

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/kube-glue")
}

fn files(folder: &str) -> Vec<PathBuf> {
    fs::read_dir(chart().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_chart_contains_the_definition_of_every_kind() {
    let expected: BTreeSet<_> = crds().into_iter().map(|crd| format!("{}.yaml", crd.spec.names.plural)).collect();
    let files = files("files/crds").into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "yaml"));
    let actual: BTreeSet<_> = files.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(actual, expected);
}

#[test]
fn templates_list_no_kinds_by_hand() {
    for path in files("templates") {
        let template = fs::read_to_string(&path).unwrap();
        let lists = template.lines().filter(|line| line.contains("resources:"));
        for crd in crds() {
            let plural = crd.spec.names.plural;
            let listed = lists.clone().find(|line| line.contains(&plural));
            assert_eq!(listed, None, "{}: use the template kube-glue.resources", path.display());
        }
    }
}

#[test]
fn the_kustomization_installs_the_health_script_for_every_kind() {
    let kustomization = fs::read_to_string(chart().join("argocd/kustomization.yaml")).unwrap();
    let lines = kustomization.lines().map(str::trim).filter(|line| line.contains("health.lua"));
    let entry = |group: &str, kind: &str| format!("- resource.customizations.health.{group}_{kind}=health.lua");
    let expected: BTreeSet<_> = crds().iter().map(|crd| entry(&crd.spec.group, &crd.spec.names.kind)).collect();
    assert_eq!(lines.map(str::to_owned).collect::<BTreeSet<_>>(), expected);
}
