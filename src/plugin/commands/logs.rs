//! The log of a job run, read from CloudWatch Logs by the credentials of the namespace.
//!
//! What to read, and when, is decided by the [`Reader`]; this module makes the calls, watches the object for the end of the
//! run, and prints. On standard output there are lines of the log and nothing else.

use std::time::Duration;

use jiff::Timestamp;
use kube::core::DynamicObject;
use tokio::time::Instant;

use crate::glue::job_runs::JobRun;
use crate::glue::logs::arguments::LogArguments;
use crate::glue::logs::places::{LogPlace, LoggedRun};
use crate::glue::logs::reader::{Extent, Next, Reader};
use crate::glue::{Error, ErrorKind};
use crate::plugin::aws::{AwsArgs, Caller};
use crate::plugin::changes::Changes;
use crate::plugin::cli::{LogExtent, LogsArgs};
use crate::plugin::connect::{Cluster, Connection};
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::log_lines::Lines;
use crate::plugin::log_run::LoggedObject;
use crate::plugin::output;
use crate::plugin::target::{self, Target};

/// The log group of runs that name none.
const DEFAULT_GROUP: &str = "/aws-glue/jobs";
/// Where other runs write to the same streams, the log of a run begins so long before its start: clocks differ.
const SLACK: Duration = Duration::from_mins(1);

/// `kubectl glue logs`.
pub(in crate::plugin) async fn execute(connection: &Connection, args: &LogsArgs) -> Result<Exit, PluginError> {
    let mut targets = target::parse(&args.name)?;
    let target = match (targets.pop(), targets.is_empty()) {
        (Some(target), true) if target.kind.resource.kind == Kind::job_run().resource.kind => target,
        _ => return Err(PluginError::Usage("the log of one job run is shown: write gjr/NAME".to_owned())),
    };
    let cluster = connection.connect().await?;
    let object = cluster.read(&target).await?;
    let caller = args.aws.connect_for(&cluster, &target, &object).await?;
    show(&cluster, &target, object, &caller, &args.extent, args.follow).await?;
    Ok(Exit::Succeeded)
}

/// Follows the log of a run that was just created, by the credentials of the namespace.
pub(super) async fn follow(cluster: &Cluster, target: &Target, object: DynamicObject) -> Result<(), PluginError> {
    let caller = AwsArgs::default().connect_for(cluster, target, &object).await?;
    show(cluster, target, object, &caller, &LogExtent::default(), true).await
}

/// Shows the log of the run of an object. While it is followed, those of its further runs come after it.
async fn show(
    cluster: &Cluster,
    target: &Target,
    object: DynamicObject,
    caller: &Caller,
    extent: &LogExtent,
    follow: bool,
) -> Result<(), PluginError> {
    let mut changes = Changes::of(cluster, target, &object);
    let mut logged = LoggedObject::read(object, extent.attempt);
    let mut shown: Option<String> = None;
    loop {
        if let Some(attempt) = extent.attempt.filter(|_| !logged.has_attempt()) {
            return Err(PluginError::NotFound(format!("attempt {attempt} of {}", target.full_name())));
        }
        let next = logged.run().filter(|run| shown.as_ref() != Some(run));
        let Some(run) = next else {
            if logged.is_over() || !follow && shown.is_some() {
                if shown.is_none() {
                    output::say(format_args!("{} has no run: {}", target.full_name(), logged.describe()));
                }
                return Ok(());
            }
            output::say(format_args!("waiting for a run of {}: {}", target.full_name(), logged.describe()));
            while logged.run().is_none_or(|run| shown.as_ref() == Some(&run)) && !logged.is_over() {
                logged = LoggedObject::read(changes.next().await?, extent.attempt);
            }
            continue;
        };
        if shown.is_some() {
            output::say(format_args!("following run {run}"));
        }
        let is_open = show_run(&mut changes, &mut logged, &run, caller, extent, follow).await?;
        if !is_open || !follow || extent.attempt.is_some() {
            return Ok(());
        }
        shown = Some(run);
    }
}

/// Shows the log of one run. Whether somebody still reads the output.
async fn show_run(
    changes: &mut Changes<'_>,
    logged: &mut LoggedObject,
    run: &str,
    caller: &Caller,
    extent: &LogExtent,
    follow: bool,
) -> Result<bool, PluginError> {
    let now = Timestamp::now();
    let (places, started) = places(logged, run, caller, extent).await?;
    let follow = follow && !logged.has_ended(run);
    let is_shared = places.iter().any(LogPlace::is_shared);
    let from = match (extent.since, started.filter(|_| is_shared)) {
        (Some(since), _) => now - jiff::SignedDuration::try_from(since).unwrap_or_default(),
        (None, Some(started)) => started - SLACK,
        (None, None) => Timestamp::UNIX_EPOCH,
    };
    let of_reader = Extent { from: from.as_millisecond(), last: extent.tail, follow };
    let lines = Lines::new(&places, extent.timestamps);
    let mut reader = Reader::new(places, of_reader, Instant::now());
    let (mut has_said, mut failure) = (false, None);
    loop {
        if logged.has_ended(run) {
            let ago = logged.ended_ago(Timestamp::now());
            let completed = logged.completed_at().filter(|_| is_shared);
            reader.on_run_ended(ago, completed.map(Timestamp::as_millisecond), Instant::now());
        }
        match reader.next(Instant::now()) {
            Next::Done => break,
            Next::Wait(until) if logged.has_ended(run) => tokio::time::sleep_until(until).await,
            Next::Wait(until) => {
                if !reader.has_found() && !std::mem::replace(&mut has_said, true) {
                    say_what_is_missing(&reader, run);
                }
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    change = changes.next() => *logged = LoggedObject::read(change?, extent.attempt),
                }
            }
            Next::List(index, token) => {
                let Some(place) = reader.place(index) else { continue };
                let answer = caller.client.log_streams(&place.group, &place.prefix, token).await;
                let answer = checked(answer, caller, &mut failure)?;
                reader.on_listed(index, answer, Instant::now());
            }
            Next::Read(key, start) => {
                let answer = caller.client.log_events(&key.group, &key.stream, &start).await;
                let answer = checked(answer, caller, &mut failure)?;
                reader.on_read(&key, answer, Instant::now());
            }
        }
        if let Some(error) = failure.take().filter(|_| reader.is_failing()) {
            return Err(caller.error(error));
        }
        for (key, event) in reader.take() {
            if !output::try_line(lines.line(&key, &event))? {
                return Ok(false);
            }
        }
    }
    if !reader.has_found() {
        let groups: Vec<_> = reader.missing().map(|place| place.group.as_str()).collect();
        output::say(format_args!("run {run} has written nothing{}", in_groups(&groups)));
    }
    Ok(true)
}

/// The kind of an error that the reader deals with. What no later call would change ends the command.
fn checked<T>(
    answer: Result<T, Error>,
    caller: &Caller,
    failure: &mut Option<Error>,
) -> Result<Result<T, ErrorKind>, PluginError> {
    match answer {
        Err(error) if error.kind == ErrorKind::Denied => Err(caller.error(error)),
        Err(error) => {
            let kind = error.kind;
            *failure = Some(error);
            Ok(Err(kind))
        }
        Ok(answer) => Ok(Ok(answer)),
    }
}

/// Where the chosen logs of the run are, and when the run started. Without the right to read the run or its job, the status
/// says what it can.
async fn places(
    logged: &LoggedObject,
    run: &str,
    caller: &Caller,
    extent: &LogExtent,
) -> Result<(Vec<LogPlace>, Option<Timestamp>), PluginError> {
    let job = logged.job();
    let is_known =
        |error: &PluginError| matches!(error, PluginError::Aws { error, .. } if error.kind == ErrorKind::Denied);
    let or_denied = |answer: Result<_, PluginError>| match answer {
        Err(error) if is_known(&error) => Ok(None),
        answer => answer.map(Some),
    };
    let found: Option<JobRun> = or_denied(caller.read(async |client| client.job_run(job, run).await).await)?;
    let settings = caller.read(async |client| client.job_settings(job).await).await;
    // A job that was deleted has no default arguments any more.
    let defaults = settings.map(|settings| settings.logs).unwrap_or_default();
    let arguments = match &found {
        Some(found) => found.details.as_ref().map(|details| details.logs.clone()).unwrap_or_default(),
        None => LogArguments::of(|name| logged.argument(name)),
    };
    let arguments = arguments.or(&defaults);
    let of_status = LoggedRun { id: run, group: logged.log_group(), glue_version: logged.glue_version() };
    let described = found.as_ref().map_or(of_status, JobRun::logged);
    let described = LoggedRun { group: described.group.or(Some(DEFAULT_GROUP)), ..described };
    let places = extent.logs().into_iter().map(|log| {
        LogPlace::of(described, &arguments, log).ok_or_else(|| {
            let version = described.glue_version.map(|version| format!(" of Glue {version}")).unwrap_or_default();
            PluginError::Usage(format!(
                "run {run}{version} writes no continuous log: before Glue 5.0 --enable-continuous-cloudwatch-log switches \
                 it on, and from then on --stream output is written as the run goes"
            ))
        })
    });
    let started = found.as_ref().and_then(|found| found.started_on).or(logged.started_at());
    Ok((places.collect::<Result<_, _>>()?, started))
}

fn say_what_is_missing(reader: &Reader, run: &str) {
    let groups: Vec<_> = reader.missing().map(|place| place.group.as_str()).collect();
    output::say(format_args!("waiting for the first line of run {run}{}", in_groups(&groups)));
}

fn in_groups(groups: &[&str]) -> String {
    if groups.is_empty() { String::new() } else { format!(" in log group {}", groups.join(" and ")) }
}
