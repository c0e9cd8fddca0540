//! The fenced blocks of all pages: YAML is applied or rendered, and every block is checked by some test.

use kube_glue_testbed::{ControlPlane, SET_IMAGE};

use super::{WALKED, WAYS, markdown_files, page, root};

/// One fenced block.
pub struct Block {
    /// The path of its page, from the root.
    pub page: String,
    /// The word after the fence.
    pub language: String,
    /// Its lines, without the indentation of the list item that contains it.
    pub text: String,
    /// The line of its fence, from 1.
    pub line: usize,
}

impl Block {
    /// The program that its first line calls.
    pub fn program(&self) -> &str {
        self.text.split_whitespace().next().unwrap_or_default()
    }

    /// Whether it is for a shell that can reach a cluster.
    pub fn is_for_a_cluster(&self) -> bool {
        self.language == "sh" && matches!(self.program(), "kubectl" | "helm")
    }
}

/// Whether this is the page of a way to connect, which `ways` follows.
fn is_way(page: &str) -> bool {
    page.strip_prefix(WAYS).is_some_and(|rest| rest.starts_with('/'))
}

/// The blocks of one page, in order.
pub fn in_page(path: &str) -> Vec<Block> {
    of(path, &page(path))
}

/// The blocks of the walked pages, in the order of the walk.
pub fn walked() -> Vec<Block> {
    WALKED.iter().flat_map(|path| in_page(path)).collect()
}

/// The blocks of all Markdown files.
fn everywhere() -> Vec<Block> {
    markdown_files().iter().flat_map(|path| in_page(path)).collect()
}

/// The blocks of this text of the page `path`, in order.
pub fn of(path: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                let (page, language) = (path.to_owned(), language.to_owned());
                open = Some((indent, Block { page, language, text: String::new(), line: number + 1 }));
            }
            (None, None) => {}
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((outer, block)), None) => {
                block.text.push_str(line.get(*outer..).unwrap_or_default());
                block.text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "{path}: a block is not closed");
    blocks
}

/// A block is a part of an object (it begins with `kind:`, or for a job run with `spec:`) or values of the chart. Whole
/// objects are in crds/samples.
#[tokio::test]
async fn yaml_is_accepted_by_the_api_server_or_the_chart() {
    let plane = ControlPlane::shared().await.expect("a control plane");
    crate::crds::install(plane).await;
    let namespace = plane.namespace("docs").await.expect("a namespace");
    let chart = root().join("charts/kube-glue");
    for block in everywhere().iter().filter(|block| block.language == "yaml") {
        let kind = if block.text.starts_with("spec:") { "kind: GlueJobRun\n" } else { "" };
        let outcome = if block.text.starts_with("spec:") || block.text.starts_with("kind: ") {
            let head = format!("apiVersion: kube-glue.dev/v1alpha1\n{kind}metadata:\n  name: shown\n");
            let apply = ["apply", "--dry-run=server", "--validate=strict", "-n", &namespace, "-f", "-"];
            plane.kubectl(apply).input(format!("{head}{}", block.text)).await
        } else {
            let chart = chart.to_str().expect("a path");
            plane
                .helm(["template", "shown", chart, "--set", SET_IMAGE, "--values", "-"])
                .input(block.text.clone())
                .await
        };
        assert!(outcome.is_ok(), "{}:{}: {}", block.page, block.line, outcome.unwrap_err());
    }
}

#[test]
fn every_block_is_checked_by_a_test() {
    let walked = walked();
    for block in everywhere() {
        let (page, text) = (block.page.as_str(), block.text.as_str());
        let is_checked = match block.language.as_str() {
            "yaml" | "json" | "text" => true,
            "mermaid" => page == "docs/design.md",
            "ini" => page.ends_with("/profile.md"),
            "sh" if !block.is_for_a_cluster() => matches!(block.program(), "cargo" | "docker" | "aws"),
            "sh" if WALKED.contains(&page) => true,
            "sh" if is_way(page) => text.starts_with("kubectl create ") || text.starts_with("kubectl get "),
            // The chart's own pages repeat commands of walked pages. Argo CD's chart is not in this repository.
            "sh" => {
                let text = text.trim_end();
                walked.iter().any(|walked| walked.text.starts_with(text)) || text.starts_with("helm upgrade argocd ")
            }
            _ => false,
        };
        assert!(is_checked, "{page}:{}: no test checks this block of {}:\n{text}", block.line, block.language);
    }
}

#[test]
fn argo_cds_helm_command_names_every_kind() {
    let blocks = in_page("charts/kube-glue/argocd/README.md");
    let command = blocks.iter().find(|block| block.text.starts_with("helm upgrade argocd ")).expect("the command");
    for crd in kube_glue::api::crds() {
        let key = format!(r"kube-glue\.dev_{}=health.lua", crd.spec.names.kind);
        assert!(command.text.contains(&key), "no {key} in\n{}", command.text);
    }
}

#[test]
fn commands_for_developers_exist() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let listed = std::process::Command::new(cargo).arg("--list").current_dir(root()).output().expect("cargo");
    let listed = String::from_utf8(listed.stdout).expect("text");
    let known: Vec<_> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let blocks = everywhere();
    let blocks = blocks.iter().filter(|block| block.language == "sh" && !block.is_for_a_cluster());
    for line in blocks.filter(|block| !is_way(&block.page)).flat_map(|block| block.text.lines()) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("cargo"), Some(command)) => assert!(known.contains(&command), "there is no `{line}`"),
            (Some("docker"), Some(_)) => assert!(root().join("Dockerfile").exists()),
            (Some(script), None) => {
                use std::os::unix::fs::PermissionsExt;
                let mode = root().join(script).metadata().expect(script).permissions().mode();
                assert_eq!(mode & 0o111, 0o111, "{script} is not executable");
            }
            _ => panic!("no test checks `{line}`"),
        }
    }
}
