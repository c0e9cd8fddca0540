//! The output of the demo: headings, command lines, their output, tables.

use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use comfy_table::{ContentArrangement, Table, presets::UTF8_BORDERS_ONLY};
use kube_glue_double::Request;
use kube_glue_testbed::{RunningPod, format_duration};

use crate::{
    environment::{Environment, NAMESPACE, since},
    error::DemoError,
};

/// The number of log lines that are shown after a failure.
const LOG_LINES: usize = 25;

#[derive(Clone, Copy)]
enum Style {
    Bold,
    Dim,
    Green,
    Red,
}

/// Prints a line. A closed standard output does not stop the demo.
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
    say(&styled(Style::Bold, "kube-glue runs AWS Glue from Kubernetes, and starts each run exactly once."));
    say("This demo uses a real control plane, kubectl and Helm, and a test double in place of AWS Glue.\n");
}

/// A part of the environment that is ready.
pub(crate) fn step(name: &str, what: &str, started: Instant) {
    let mark = styled(Style::Green, "✓");
    let time = styled(Style::Dim, &since(started));
    say(&format!("{mark} {name:<14} {what} {time}"));
}

pub(crate) fn heading(nth: usize, text: &str) {
    say(&styled(Style::Bold, &format!("\n{nth}. {text}")));
}

pub(crate) fn command<'a>(program: &str, args: impl IntoIterator<Item = &'a str>) {
    let args: Vec<&str> = args.into_iter().collect();
    say(&format!("  {} {}", styled(Style::Dim, "$"), styled(Style::Bold, &format!("{program} {}", args.join(" ")))));
}

/// The output of a command.
pub(crate) fn printed(text: &str) {
    for line in text.trim_end().lines() {
        say(&format!("  {line}"));
    }
}

/// A line of text.
pub(crate) fn note(text: &str) {
    say(&format!("  {text}"));
}

/// An observed change, with the time since the scenario started.
pub(crate) fn change(text: &str, started: Instant) {
    let seconds = started.elapsed().as_secs_f32();
    say(&format!("  {} {text}", styled(Style::Dim, &format!("{seconds:>5.1}s"))));
}

/// A checked outcome.
pub(crate) fn good(text: &str) {
    say(&format!("  {} {text}", styled(Style::Green, "✓")));
}

/// The requests that Glue received for one resource, with their number and answers.
pub(crate) fn record(environment: &Environment, name: &str) {
    let received = environment.double.requests().all().name(name);
    note(&format!("Requests that Glue received for {name}:"));
    requests(received.iter().map(AsRef::as_ref));
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
    table.set_header(["OPERATION", "REQUESTS", "ANSWERS"]);
    for (operation, (count, answers)) in rows {
        let answers: Vec<String> = answers.into_iter().map(|(answer, times)| format!("{times} x {answer}")).collect();
        table.add_row([operation.to_owned(), count.to_string(), answers.join(", ")]);
    }
    printed(&table.to_string());
}

fn answer(request: &Request) -> String {
    match request.answer() {
        None => "no answer".to_owned(),
        Some(answer) => answer.code.clone().unwrap_or_else(|| "OK".to_owned()),
    }
}

/// All objects, and all requests that Glue received.
pub(crate) async fn end(environment: &Environment, took: Duration) -> Result<(), DemoError> {
    say(&styled(Style::Bold, "\nSummary"));
    environment.kubectl(["get", "glue"]).await?;
    note("All requests that Glue received:");
    requests(environment.double.requests().all().iter().map(AsRef::as_ref));
    say(&styled(Style::Green, &format!("\n✓ All scenarios succeeded, in {}.", format_duration(took))));
    Ok(())
}

/// How to use the running environment.
pub(crate) fn keep(environment: &Environment) {
    let assets = environment.plane.assets();
    let kubectl = assets.kubectl.parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    say("\nEverything keeps running. To use it from another terminal:");
    say(&format!("  export KUBECONFIG={}", environment.plane.kubeconfig().display()));
    say(&format!("  export PATH={kubectl}:$PATH"));
    say(&format!("  export AWS_ENDPOINT_URL={}", environment.double.url()));
    say(&format!("The controller runs in the namespace {NAMESPACE}. Its log:"));
    for file in environment.kubelet.log_files() {
        say(&format!("  tail -f {}", file.display()));
    }
    say("Press Ctrl-C to stop everything.");
}

pub(crate) fn failure(error: &DemoError) {
    say(&styled(Style::Red, &format!("\n✗ The demo failed: {error}")));
}

/// The end of a Pod's log.
pub(crate) fn log_end(pod: &RunningPod, log: &str) {
    let lines: Vec<&str> = log.lines().collect();
    say(&format!("\nPod {}/{}: {:?}. The end of its log:", pod.namespace, pod.name, pod.containers));
    printed(&lines[lines.len().saturating_sub(LOG_LINES)..].join("\n"));
}
