//! What a person sees: headings, commands as they could be typed, what they printed, tables.

use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use comfy_table::{ContentArrangement, Table, presets::UTF8_BORDERS_ONLY};
use kube_glue_double::Request;
use kube_glue_testbed::{RunningPod, human};

use crate::{
    problem::Problem,
    stage::{NAMESPACE, Stage, since},
};

/// How much of a log is shown after a failure.
const LOG_LINES: usize = 25;

#[derive(Clone, Copy)]
enum Style {
    Bold,
    Dim,
    Green,
    Red,
}

/// Standard output closed under the demo is no reason to stop it.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn styled(style: Style, text: &str) -> String {
    if std::env::var_os("NO_COLOR").is_some() || !std::io::stdout().is_terminal() {
        return text.to_owned();
    }
    let code = match style {
        Style::Bold => 1,
        Style::Dim => 2,
        Style::Green => 32,
        Style::Red => 31,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

pub(crate) fn title() {
    say(&styled(Style::Bold, "kube-glue: AWS Glue runs from Kubernetes, each started once"));
    say("A real control plane, kubectl and helm; a double of AWS Glue in place of the cloud.\n");
}

/// A part of the stage that stands.
pub(crate) fn step(name: &str, what: &str, begun: Instant) {
    let mark = styled(Style::Green, "✓");
    let time = styled(Style::Dim, &since(begun));
    say(&format!("{mark} {name:<14} {what} {time}"));
}

pub(crate) fn heading(nth: usize, text: &str) {
    say(&styled(Style::Bold, &format!("\n{nth}. {text}")));
}

pub(crate) fn command<'a>(program: &str, args: impl IntoIterator<Item = &'a str>) {
    let args: Vec<&str> = args.into_iter().collect();
    say(&format!("  {} {}", styled(Style::Dim, "$"), styled(Style::Bold, &format!("{program} {}", args.join(" ")))));
}

/// What a command printed.
pub(crate) fn printed(text: &str) {
    for line in text.trim_end().lines() {
        say(&format!("  {line}"));
    }
}

/// A line of the story.
pub(crate) fn note(text: &str) {
    say(&format!("  {text}"));
}

/// A change that was watched.
pub(crate) fn change(text: &str, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f32();
    say(&format!("  {} {text}", styled(Style::Dim, &format!("{seconds:>5.1}s"))));
}

/// What came out as it should.
pub(crate) fn good(text: &str) {
    say(&format!("  {} {text}", styled(Style::Green, "✓")));
}

/// The double's record of one job or the like: what arrived, how often, how it was answered.
pub(crate) fn record(stage: &Stage, job: &str) {
    let about = stage.double.requests().all().name(job);
    note(&format!("What arrived at Glue about {job}:"));
    requests(about.iter().map(AsRef::as_ref));
}

fn requests<'a>(all: impl Iterator<Item = &'a Request>) {
    let mut rows: BTreeMap<&str, (usize, BTreeMap<String, usize>)> = BTreeMap::new();
    for request in all {
        let (count, answers) = rows.entry(&request.call.operation).or_default();
        *count += 1;
        *answers.entry(answer(request)).or_default() += 1;
    }
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["OPERATION", "TIMES", "ANSWERED"]);
    for (operation, (count, answers)) in rows {
        let answers: Vec<String> = answers.into_iter().map(|(answer, times)| format!("{times} x {answer}")).collect();
        table.add_row([operation.to_owned(), count.to_string(), answers.join(", ")]);
    }
    printed(&table.to_string());
}

fn answer(request: &Request) -> String {
    match request.answer() {
        None => "never (the caller was gone)".to_owned(),
        Some(answer) => answer.code.clone().unwrap_or_else(|| "OK".to_owned()),
    }
}

/// All resources and the whole record.
pub(crate) async fn end(stage: &Stage, took: Duration) -> Result<(), Problem> {
    say(&styled(Style::Bold, "\nAll of it"));
    stage.kubectl(["get", "glue"]).await?;
    note("Everything that arrived at Glue:");
    requests(stage.double.requests().all().iter().map(AsRef::as_ref));
    say(&styled(Style::Green, &format!("\n✓ All stories came out as they should, in {}.", human(took))));
    Ok(())
}

/// How to play with it.
pub(crate) fn keep(stage: &Stage) {
    let assets = stage.plane.assets();
    let kubectl = assets.kubectl.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    say("\nIt stays up. In another terminal:");
    say(&format!("  export KUBECONFIG={}", stage.plane.kubeconfig().display()));
    say(&format!("  export PATH={kubectl}:$PATH"));
    say(&format!("The controller's Pod is in the namespace {NAMESPACE}; its log:"));
    for file in stage.kubelet.log_files() {
        say(&format!("  tail -f {}", file.display()));
    }
    say("Ctrl-C ends everything.");
}

pub(crate) fn failure(problem: &Problem) {
    say(&styled(Style::Red, &format!("\n✗ The demo did not come out: {problem}")));
}

/// The end of a Pod's log.
pub(crate) fn log_end(pod: &RunningPod, log: &str) {
    let lines: Vec<&str> = log.lines().collect();
    say(&format!("\nPod {}/{}: {:?}; the end of its log:", pod.namespace, pod.name, pod.containers));
    printed(&lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"));
}
