//! Connections and job runs that people have written: the facts in `wild/`, each with its public source, what AWS does
//! with it, and the verdict that it must get here.
//!
//! The verdict is `admitted`, `warned: ` with a part of the warning, or `refused: ` with a part of the message, which names
//! the field and the remedy. Where it is not AWS's, or AWS's is not known for certain, a note says why.

use std::path::{Path, PathBuf};

use kube_glue::api::{GlueConnection, GlueJobRun};
use kube_glue::controllers::connection::unknown_properties;
use kube_glue::controllers::job_run::arguments;
use kube_glue_testbed::ControlPlane;
use serde_json::Value;

/// One file of `wild/`.
pub struct Fact {
    path: PathBuf,
    /// The manifest, with the comments at its head.
    pub text: String,
}

impl Fact {
    /// The name of the file, and of the object after a prefix.
    pub fn name(&self) -> String {
        self.path.file_stem().expect("a name").to_string_lossy().into_owned()
    }

    /// The value of a comment such as `# Verdict: admitted` at the head of the file.
    pub fn head(&self, key: &str) -> Option<&str> {
        let comments = self.text.lines().take_while(|line| line.starts_with("# "));
        comments.filter_map(|line| line[2..].split_once(": ")).find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

pub fn facts() -> Vec<Fact> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/validation/wild");
    let files = folder.read_dir().expect("the folder").map(|entry| entry.expect("an entry").path());
    let read = |path: PathBuf| Fact { text: std::fs::read_to_string(&path).expect("text"), path };
    files.map(read).collect()
}

/// The warning that the controller gives about an object that was admitted.
fn warning(object: Value) -> Option<String> {
    if object["kind"] == "GlueConnection" {
        let object: GlueConnection = serde_json::from_value(object).expect("a connection");
        return unknown_properties::warning(&object.spec);
    }
    let object: GlueJobRun = serde_json::from_value(object).expect("a job run");
    arguments::reserved_warning(&object.spec)
}

#[tokio::test]
async fn what_people_have_written_gets_its_verdict() {
    let plane = ControlPlane::shared().await.expect("a control plane");
    crate::crds::install(plane).await;
    let namespace = plane.namespace("wild").await.expect("a namespace");
    let facts = facts();
    assert!(facts.len() > 60, "{}", facts.len());
    let mut wrong = Vec::new();
    for fact in &facts {
        let apply = ["create", "--dry-run=server", "--validate=strict", "-o", "json", "-n", &namespace, "-f", "-"];
        let answer = plane.kubectl(apply).input(fact.text.clone()).await;
        let verdict = fact.head("Verdict").unwrap_or_default();
        let outcome = match answer {
            Err(refusal) => format!("refused: {refusal}"),
            Ok(printed) => match warning(serde_json::from_str(&printed.stdout).expect("JSON")) {
                Some(warning) => format!("warned: {warning}"),
                None => "admitted".to_owned(),
            },
        };
        let (kind, part) = verdict.split_once(": ").unwrap_or((verdict, ""));
        if !outcome.starts_with(kind) || !outcome.contains(part) {
            wrong.push(format!("{}: {outcome}\n  is not: {verdict}", fact.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_fact_has_its_source_and_a_note_where_the_verdict_is_not_that_of_aws() {
    for fact in facts() {
        let name = fact.name();
        let [source, aws, verdict] = ["Source", "AWS", "Verdict"].map(|key| fact.head(key).unwrap_or_default());
        assert!(!source.is_empty() && !aws.is_empty() && !verdict.is_empty(), "{name}: {source:?} {aws:?} {verdict:?}");
        let agrees = match verdict.split_once(": ").map_or(verdict, |(kind, _)| kind) {
            "refused" => aws.starts_with("refused \"") || aws.starts_with("boto3 itself refuses"),
            "admitted" | "warned" => aws.starts_with("accepted"),
            other => panic!("{name}: {other:?} is no verdict"),
        };
        assert!(agrees || fact.head("Note").is_some(), "{name}: {aws:?} is not {verdict:?}, and no note says why");
    }
}
