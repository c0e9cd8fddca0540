//! Mutants: [cargo-mutants](https://mutants.rs) changes the modules that decide, one place at a time, and the tests of the
//! library must fail.
//!
//! `.cargo/mutants.toml` names the places whose change nobody can notice, with the reasons. cargo-mutants works on a copy of
//! the sources.

use std::time::Duration;

use kube_glue_testbed::{Error, Proof, controller};
use serde_json::Value;

use super::Context;
use crate::{child, error::ProveError, say};

/// The mutants of each subject.
const QUICK: u64 = 3;
/// The version that it was tried with.
const INSTALL: &str = "cargo install cargo-mutants --locked --version ^27";
/// How long the tests of a subject may take: some end only by their mutant.
const TIMEOUT: Duration = Duration::from_mins(2);

/// How cargo-mutants ends when it has tried the mutants: all were caught, some were missed, some tests did not end.
const TRIED: [i32; 3] = [0, 2, 3];

/// What is changed, and the tests that must notice.
struct Subject {
    name: &'static str,
    files: &'static [&'static str],
    /// Parts of their names. They end within seconds: the models and the simulation, which notice more, take longer.
    tests: &'static [&'static str],
}

const SUBJECTS: &[Subject] = &[
    Subject {
        name: "start protocol",
        files: &[
            "src/controllers/runtime/start_once.rs",
            "src/controllers/run/start.rs",
            "src/controllers/run/attempts.rs",
        ],
        tests: &["controllers::run::", "controllers::job_run::", "controllers::runtime::start_once::tests"],
    },
    Subject {
        name: "queue",
        files: &[
            "src/controllers/runtime/workqueue.rs",
            "src/controllers/runtime/queue/mod.rs",
            "src/controllers/runtime/queue/cause.rs",
            "src/glue/job_runs/places.rs",
        ],
        tests: &["controllers::runtime::queue", "controllers::runtime::workqueue", "glue::job_runs::places"],
    },
    Subject {
        name: "budget",
        files: &["src/glue/rate_limiter/budget.rs", "src/glue/rate_limiter/rate.rs"],
        tests: &["glue::rate_limiter::budget", "glue::rate_limiter::rate"],
    },
    Subject {
        name: "ownership",
        files: &[
            "src/controllers/runtime/ownership.rs",
            "src/controllers/runtime/ownership/location.rs",
            "src/controllers/runtime/ownership/standing.rs",
            "src/controllers/runtime/exclusive.rs",
            "src/controllers/runtime/shared_runs.rs",
        ],
        tests: &[
            "controllers::runtime::ownership",
            "controllers::runtime::exclusive",
            "controllers::runtime::shared_runs",
            "controllers::run::sharing",
            "controllers::connection::tests::ownership",
            "controllers::connection::tests::plan",
            "controllers::trigger::tests::ownership",
            "controllers::trigger::tests::plan",
        ],
    },
];

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    if !child::run(&["mutants", "--version"], &[]).await?.status.success() {
        return Err(ProveError::Missing { program: "cargo-mutants", install: INSTALL });
    }
    let mut proofs = Vec::new();
    for subject in SUBJECTS.iter().filter(|subject| context.is_matching(subject.name)) {
        say(&format!("  {}", subject.name));
        proofs.push(try_mutants(subject, context).await?);
    }
    Ok(proofs)
}

async fn try_mutants(subject: &Subject, context: &Context) -> Result<Proof, ProveError> {
    let folder = controller::workspace().join("target/mutants");
    let output = folder.join(subject.name.replace(' ', "-"));
    std::fs::create_dir_all(&output).map_err(Error::io(format!("creating {}", output.display())))?;
    let (output_folder, timeout) = (output.to_string_lossy(), TIMEOUT.as_secs().to_string());
    let files: Vec<_> = subject.files.iter().flat_map(|file| ["--file", file]).collect();
    let scope = [&["mutants", "--package", "kube-glue"], files.as_slice()].concat();
    let shard = match context.sample(QUICK) {
        None => None,
        Some(amount) => {
            let listed = child::run(&[scope.as_slice(), &["--list"]].concat(), &[]).await?;
            let total = listed.output.lines().filter(|line| line.starts_with("src/")).count();
            let shards = total.div_ceil(amount.max(1)).max(1);
            let chosen = usize::try_from(context.seed).unwrap_or_default() % shards;
            Some(format!("{chosen}/{shards}"))
        }
    };
    let of_shard: Vec<_> = shard.iter().flat_map(|shard| ["--shard", shard]).collect();
    let settings = ["--output", &output_folder, "--timeout", &timeout, "--colors", "never", "--no-times"];
    let args = [scope.as_slice(), &of_shard, &settings, &["--", "--"], subject.tests].concat();
    // The dependencies are built once. The sources are copied to another folder each time.
    let build = folder.join("build");
    let ended = child::run(&args, &[("CARGO_TARGET_DIR", &build.to_string_lossy())]).await?;
    // Otherwise it did not come to the mutants, and the file is that of another run.
    if !ended.status.code().is_some_and(|code| TRIED.contains(&code)) {
        return Err(ended.without_result());
    }
    let outcomes = output.join("mutants.out/outcomes.json");
    let text = std::fs::read_to_string(&outcomes).map_err(Error::io(format!("reading {}", outcomes.display())))?;
    let Some(outcomes) = Outcomes::read(&text).filter(|outcomes| outcomes.viable() > 0) else {
        return Err(ended.without_result());
    };
    Ok(outcomes.proof(subject.name))
}

/// What cargo-mutants counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcomes {
    caught: usize,
    /// Whose tests did not end. That is noticed, too.
    timeouts: usize,
    unviable: usize,
    missed: Vec<String>,
}

impl Outcomes {
    /// From `outcomes.json`.
    fn read(text: &str) -> Option<Self> {
        let report: Value = serde_json::from_str(text).ok()?;
        let mut outcomes = Self::default();
        for outcome in report["outcomes"].as_array()? {
            match outcome["summary"].as_str()? {
                "CaughtMutant" => outcomes.caught += 1,
                "Timeout" => outcomes.timeouts += 1,
                "Unviable" => outcomes.unviable += 1,
                "MissedMutant" => outcomes.missed.push(outcome["scenario"]["Mutant"]["name"].as_str()?.to_owned()),
                // The tests without a mutant.
                _ => {}
            }
        }
        Some(outcomes)
    }

    /// Those that compile.
    fn viable(&self) -> usize {
        self.caught + self.timeouts + self.missed.len()
    }

    fn proof(self, subject: &str) -> Proof {
        let noticed = self.caught + self.timeouts;
        let permille = noticed * 1000 / self.viable().max(1);
        let proof = Proof::new(self.viable(), "mutants", self.missed.len())
            .detail(format!("{subject}, {noticed} noticed ({}.{} %)", permille / 10, permille % 10))
            .remark(format!(
                "{subject}: {} by a test that does not end, {} do not compile",
                self.timeouts, self.unviable
            ));
        self.missed.into_iter().fold(proof, |proof, missed| proof.remark(format!("survives: {missed}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compiles_is_counted_and_what_survives_is_named() {
        let mutant = |summary: &str, name: &str| serde_json::json!({ "summary": summary, "scenario": { "Mutant": { "name": name } } });
        let report = serde_json::json!({ "outcomes": [
            { "summary": "Success", "scenario": "Baseline" },
            mutant("CaughtMutant", "a"),
            mutant("Timeout", "b"),
            mutant("Unviable", "c"),
            mutant("MissedMutant", "src/lib.rs:1:1: replace d"),
        ] });
        let proof = Outcomes::read(&report.to_string()).unwrap().proof("queue");
        assert_eq!((proof.size().as_str(), proof.found), ("3 mutants, queue, 2 noticed (66.6 %)", 1));
        assert_eq!(proof.remarks[1], "survives: src/lib.rs:1:1: replace d");
        assert_eq!(Outcomes::read("{}"), None);
    }

    #[test]
    fn its_files_exist() {
        for file in SUBJECTS.iter().flat_map(|subject| subject.files) {
            assert!(controller::workspace().join(file).is_file(), "{file}");
        }
    }
}
