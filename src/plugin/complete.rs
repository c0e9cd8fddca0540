//! Completion for kubectl, which runs `kubectl_complete-glue` with the words after `kubectl glue`, the last one incomplete,
//! and reads one candidate a line, with cobra's directive at the end.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use kube::ResourceExt;
use kube::api::ListParams;

use super::cli::Cli;
use super::connect::Connection;
use super::error::PluginError;
use super::exit::Exit;
use super::kind::Kind;
use super::output;
use crate::controllers::runtime::reason::Reason;

/// cobra's `ShellCompDirectiveNoFileComp`: no file is a candidate.
const NO_FILES: &str = ":4";
/// cobra's `ShellCompDirectiveNoSpace`, with [`NO_FILES`]: a candidate is the beginning of a word.
const NO_SPACE: &str = ":6";
/// The names that are offered.
const NAMES: u32 = 500;
/// A completion that takes longer is of no use.
const LIMIT: Duration = Duration::from_secs(2);
/// Commands that take `KIND/NAME`.
const TAKE_OBJECTS: [&str; 11] =
    ["rerun", "wait", "status", "tree", "whoami", "stop", "suspend", "resume", "fire", "delete", "logs"];

/// What the last word can become.
#[derive(Clone, Debug)]
pub(super) enum Candidates {
    /// Names of objects of a kind, after this beginning: `gjr/`.
    Objects { kind: String, beginning: String },
    /// The jobs, crawlers or workflows that objects of a kind run: the values of this field.
    Run { kind: Kind, field: &'static str },
    /// These words.
    Words(Vec<String>, &'static str),
}

/// Prints the candidates for the last of `words`. Where the cluster does not answer there are none.
pub async fn complete(words: &[String]) -> Exit {
    let (candidates, directive) = match candidates(words) {
        Candidates::Words(words, directive) => (words, directive),
        Candidates::Objects { kind, beginning } => {
            let names = tokio::time::timeout(LIMIT, names(words, &kind)).await.ok().and_then(Result::ok);
            let names = names.unwrap_or_default().into_iter().map(|name| format!("{beginning}{name}"));
            (beginning_like_the_last(words, names), NO_FILES)
        }
        Candidates::Run { kind, field } => {
            let names = tokio::time::timeout(LIMIT, values(words, &kind, field)).await.ok().and_then(Result::ok);
            (beginning_like_the_last(words, names.unwrap_or_default().into_iter()), NO_FILES)
        }
    };
    let mut lines = candidates;
    lines.push(directive.to_owned());
    output::line(lines.join("\n")).map_or_else(|error| error.exit(), |()| Exit::Succeeded)
}

fn beginning_like_the_last(words: &[String], candidates: impl Iterator<Item = String>) -> Vec<String> {
    let last = words.last().map_or("", String::as_str);
    candidates.filter(|candidate| candidate.starts_with(last)).collect()
}

/// What the last word can become, as far as the command line says. Pure.
pub(super) fn candidates(words: &[String]) -> Candidates {
    let last = words.last().map_or("", String::as_str);
    let command = words.iter().rev().skip(1).find(|word| Cli::command().find_subcommand(word).is_some());
    let command = command.map_or("", String::as_str);
    if !last.starts_with('-') && TAKE_OBJECTS.contains(&command) {
        if let Some((kind, _)) = last.split_once('/') {
            return Candidates::Objects { kind: kind.to_owned(), beginning: format!("{kind}/") };
        }
        let kinds = Kind::all().into_iter().map(|kind| kind.short_name(""));
        return Candidates::Words(kinds.filter(|kind| kind.starts_with(last)).collect(), NO_SPACE);
    }
    if let [.., what, _] = words
        && !last.starts_with('-')
        && command == "run"
        && let Some((kind, field)) = runnable(what)
    {
        return Candidates::Run { kind, field };
    }
    if !last.starts_with('-') && command == "explain" {
        let reasons = Reason::ALL.iter().map(|reason| reason.as_str().to_owned());
        let fits = |reason: &String| reason.to_lowercase().starts_with(&last.to_lowercase());
        return Candidates::Words(reasons.filter(fits).collect(), NO_FILES);
    }
    let line: Vec<OsString> =
        std::iter::once("kubectl-glue").chain(words.iter().map(String::as_str)).map(Into::into).collect();
    let index = line.len() - 1;
    let found = clap_complete::engine::complete(&mut Cli::command(), line, index, None).unwrap_or_default();
    let found = found.iter().filter(|candidate| !candidate.is_hide_set());
    Candidates::Words(found.map(|candidate| candidate.get_value().to_string_lossy().into_owned()).collect(), NO_FILES)
}

/// What `run` runs, as the kind of its objects and the field that names it.
fn runnable(word: &str) -> Option<(Kind, &'static str)> {
    match word {
        "job" => Some((Kind::job_run(), "jobName")),
        "crawler" => Some((Kind::crawler_run(), "crawlerName")),
        "workflow" => Some((Kind::workflow_run(), "workflowName")),
        _ => None,
    }
}

/// The jobs, crawlers or workflows that the objects of the namespace have run. Glue itself is not asked: that takes rights
/// and time.
async fn values(words: &[String], kind: &Kind, field: &str) -> Result<BTreeSet<String>, PluginError> {
    let list = connection(words).connect().await?.objects(kind).list(&ListParams::default().limit(NAMES)).await;
    let list = list.map_err(PluginError::api("listing names"))?;
    Ok(list.iter().filter_map(|object| Some(object.data["spec"][field].as_str()?.to_owned())).collect())
}

/// The flags of the line. The last word may be what keeps it from being valid.
fn connection(words: &[String]) -> Connection {
    let line = std::iter::once("kubectl-glue").chain(words.iter().map(String::as_str));
    Cli::try_parse_from(line).map_or_else(|_| Connection::default(), |cli| cli.connection)
}

/// The names of the objects of a kind, in the namespace and cluster that the command line names.
async fn names(words: &[String], kind: &str) -> Result<Vec<String>, PluginError> {
    let kind = Kind::parse(kind).ok_or_else(|| PluginError::Usage(format!("there is no kind `{kind}`")))?;
    let objects = connection(words).connect().await?.objects(&kind);
    let list = objects.list_metadata(&ListParams::default().limit(NAMES)).await;
    Ok(list.map_err(PluginError::api("listing names"))?.iter().map(ResourceExt::name_any).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn commands_flags_kinds_and_reasons_are_offered() {
        for (line, expected) in [
            ("su", "suspend"),
            ("wait --time", "--timeout"),
            ("run j", "job"),
            ("stop gj", "gjr/"),
            ("-n team wait gjr/a gt", "gtr/"),
            ("explain notf", "NotFound"),
            ("explain --cont", "--context"),
        ] {
            let Candidates::Words(found, _) = candidates(&words(line)) else { panic!("{line}") };
            assert!(found.contains(&expected.to_owned()), "{line}: {found:?}");
        }
        let names = candidates(&words("wait gjr/ni"));
        assert!(matches!(names, Candidates::Objects { kind, beginning } if kind == "gjr" && beginning == "gjr/"));
        let jobs = candidates(&words("-n team run job or"));
        assert!(matches!(jobs, Candidates::Run { field: "jobName", .. }), "{jobs:?}");
    }

    #[test]
    fn every_command_that_takes_objects_exists() {
        for name in TAKE_OBJECTS {
            assert!(Cli::command().find_subcommand(name).is_some(), "{name}");
        }
    }
}
