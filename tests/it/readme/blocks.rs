//! The blocks of the page that are neither prose nor run: YAML, cargo's commands, links.

use kube_glue_testbed::ControlPlane;

use super::{README, root};

/// One fenced block.
pub struct Block {
    /// What stands behind the fence.
    pub language: String,
    /// Its lines, without the indentation of the list item that it may stand in.
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

/// Every block of the page, in order.
pub fn all() -> Vec<Block> {
    of(README)
}

/// The pages that belong to it, by their paths from the root.
pub fn further_pages() -> Vec<(String, String)> {
    let folder = "crds/samples/credentials";
    let files = root().join(folder).read_dir().expect("the pages").map(|file| file.expect("a page").file_name());
    let paths = files.map(|name| format!("{folder}/{}", name.to_str().expect("a name")));
    paths.map(|path| (path.clone(), std::fs::read_to_string(root().join(path)).expect("a page"))).collect()
}

/// Every block, with the path of its page.
fn of_every_page() -> Vec<(String, Block)> {
    let pages = std::iter::once(("README.md".to_owned(), README.to_owned())).chain(further_pages());
    pages.flat_map(|(path, text)| of(&text).into_iter().map(move |block| (path.clone(), block))).collect()
}

/// Every block of a page, in order.
pub fn of(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for (number, line) in page.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                let block = Block { language: language.to_owned(), text: String::new(), line: number + 1 };
                open = Some((indent, block));
            }
            (None, None) => {}
            (Some(_), Some(_)) => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((outer, block)), None) => {
                block.text.push_str(line.get(*outer..).unwrap_or_default());
                block.text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The values of the chart, and parts of the spec of a run; whole objects stand in crds/samples.
#[tokio::test]
async fn what_is_shown_as_yaml_is_accepted_as_it_stands() {
    let plane = ControlPlane::shared().await.expect("a control plane");
    crate::crds::install(plane).await;
    let namespace = plane.namespace("readme").await.expect("a namespace");
    let chart = root().join("charts/kube-glue");
    for (page, block) in of_every_page().iter().filter(|(_, block)| block.language == "yaml") {
        // Parts of an object of another kind than a job run begin with that.
        let kind = if block.text.starts_with("spec:") { "kind: GlueJobRun\n" } else { "" };
        let outcome = if block.text.starts_with("spec:") || block.text.starts_with("kind: ") {
            let head = format!("apiVersion: kube-glue.dev/v1alpha1\n{kind}metadata:\n  name: shown\n");
            let apply = ["apply", "--dry-run=server", "--validate=strict", "-n", &namespace, "-f", "-"];
            plane.kubectl(apply).input(format!("{head}{}", block.text)).await
        } else {
            let chart = chart.to_str().expect("a path");
            plane.helm(["template", "shown", chart, "--values", "-"]).input(block.text.clone()).await
        };
        assert!(outcome.is_ok(), "{page}:{}: {}", block.line, outcome.unwrap_err());
    }
}

#[test]
fn every_block_is_of_a_kind_that_some_test_looks_at() {
    for (page, block) in of_every_page() {
        let known = match block.language.as_str() {
            "yaml" | "json" | "text" => true,
            "ini" => page.ends_with("profile.md"),
            "sh" => block.is_for_a_cluster() || matches!(block.program(), "cargo" | "docker" | "aws"),
            _ => false,
        };
        assert!(known, "{page}:{}: {} {}", block.line, block.language, block.program());
    }
}

#[test]
fn the_commands_of_developers_are_there() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let listed = std::process::Command::new(cargo).arg("--list").current_dir(root()).output().expect("cargo");
    let listed = String::from_utf8(listed.stdout).expect("text");
    let known: Vec<_> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let blocks = all();
    let lines = blocks.iter().filter(|block| block.language == "sh" && !block.is_for_a_cluster());
    for line in lines.flat_map(|block| block.text.lines()) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("cargo"), Some(command)) => assert!(known.contains(&command), "there is no `{line}`"),
            (Some("docker"), Some(_)) => assert!(root().join("Dockerfile").exists()),
            (Some(script), None) => {
                use std::os::unix::fs::PermissionsExt;
                let mode = root().join(script).metadata().expect(script).permissions().mode();
                assert_eq!(mode & 0o111, 0o111, "{script} can be run");
            }
            _ => panic!("`{line}` is checked by nothing"),
        }
    }
}

#[test]
fn links_lead_somewhere() {
    let headings =
        |page: &str| -> Vec<_> { page.lines().filter_map(|line| line.strip_prefix('#')).map(anchor).collect() };
    let pages = std::iter::once(("README.md".to_owned(), README.to_owned())).chain(further_pages());
    for (path, text) in pages {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let mut count = 0;
        for target in targets.filter(|target| !target.starts_with("https://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let other = root().join(&path).parent().expect("a folder").join(file);
            assert!(other.exists(), "{path}: {target}");
            if !heading.is_empty() {
                let there = if file.is_empty() { text.clone() } else { std::fs::read_to_string(other).expect(file) };
                assert!(headings(&there).iter().any(|known| known == heading), "{path}: {target}");
            }
            count += 1;
        }
        assert!(count > if path == "README.md" { 10 } else { 0 }, "{path} has links");
    }
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-')).collect::<String>().replace(' ', "-")
}
