//! Where the logs of a run are: their groups, and which streams of a group are those of the run.
//!
//! Source: Glue developer guide, "Logging for AWS Glue jobs", "Enabling continuous logging for AWS Glue 4.0 and earlier
//! jobs", "Monitoring with AWS Glue job run insights".

use super::arguments::LogArguments;

/// The group of the continuous log, where arguments name none.
const CONTINUOUS_GROUP: &str = "/aws-glue/jobs/logs-v2";
/// What Glue puts after a run id for a retry of its own: the id of another run.
const RETRY: &str = "_attempt_";
/// What follows the prefix in the names of streams that are not the words of the script: the progress bar and the insights.
const ASIDE: [&str; 2] = ["-progress-bar", "-job-insights-"];

/// A log of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Log {
    /// Standard output; from Glue 5.0 on, standard error too, as the script writes it.
    Output,
    /// Standard error; from Glue 5.0 on, what Spark and Glue's logger write.
    Error,
    /// The continuous log before Glue 5.0.
    Continuous,
}

/// What the places of the logs of a run follow from, beside its arguments.
#[derive(Clone, Copy, Debug)]
pub struct LoggedRun<'a> {
    /// The run id.
    pub id: &'a str,
    /// `LogGroupName`: what the names of its groups begin with.
    pub group: Option<&'a str>,
    /// Such as `5.0`.
    pub glue_version: Option<&'a str>,
}

/// Where a log of a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// Which log.
    pub log: Log,
    /// The log group.
    pub group: String,
    /// What the names of its streams begin with.
    pub prefix: String,
    /// The run id.
    run: String,
    is_realtime: bool,
}

/// Whose words a stream has. The driver comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writer {
    /// The driver, which runs the script.
    Driver,
    /// An executor, with what the stream's name calls it.
    Executor(String),
}

impl LogPlace {
    /// The place of a log of `run`, whose arguments and those of its job say `arguments`; `None` for a log that the run does
    /// not have.
    #[must_use]
    pub fn of(run: LoggedRun<'_>, arguments: &LogArguments, log: Log) -> Option<Self> {
        let is_realtime = run.is_realtime();
        let given = |prefix: &Option<String>| prefix.clone().unwrap_or_else(|| run.id.to_owned());
        let place = |group: String, prefix: String| Self { log, group, prefix, run: run.id.to_owned(), is_realtime };
        if log == Log::Continuous {
            let is_written = arguments.continuous == Some(true) && !is_realtime;
            let group = arguments.continuous_group.clone().unwrap_or_else(|| CONTINUOUS_GROUP.to_owned());
            return is_written.then(|| place(group, given(&arguments.continuous_stream_prefix)));
        }
        let custom = arguments.group_prefix.as_deref().filter(|_| is_realtime);
        let base = custom.or(run.group)?.trim_end_matches('/');
        let group = format!("{base}/{}", if log == Log::Output { "output" } else { "error" });
        Some(place(group, if is_realtime { given(&arguments.stream_prefix) } else { run.id.to_owned() }))
    }

    /// Whose words a stream has; `None` when it is not a stream of the run, or none of the script's words.
    #[must_use]
    pub fn writer(&self, stream: &str) -> Option<Writer> {
        let rest = stream.strip_prefix(&self.prefix)?;
        // A custom prefix may be followed by the run id, or by that of another run.
        let rest = if self.is_shared() {
            let rest = rest.trim_start_matches(['-', '_', '/']);
            rest.strip_prefix(&self.run).or_else(|| (!rest.starts_with("jr_")).then_some(rest))?
        } else {
            rest
        };
        if rest.starts_with(RETRY) || ASIDE.iter().any(|aside| format!("-{rest}").contains(aside)) {
            return None;
        }
        match rest.trim_start_matches(['-', '_']) {
            "" | "driver" => Some(Writer::Driver),
            _ if !self.is_shared() && !rest.starts_with(['-', '_']) => None,
            executor => Some(Writer::Executor(executor.to_owned())),
        }
    }

    /// The names that the driver's stream may have, the likelier one first. Before Glue 5.0, and for Python shell, the
    /// output and error logs name it by the run alone.
    #[must_use]
    pub fn driver_streams(&self) -> [String; 2] {
        let (bare, named) = (self.prefix.clone(), format!("{}-driver", self.prefix));
        if self.is_realtime || self.log == Log::Continuous { [named, bare] } else { [bare, named] }
    }

    /// Whether other runs may write to the same streams: only the time tells them apart.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.prefix != self.run
    }
}

impl LoggedRun<'_> {
    /// Whether the run writes its output log as it goes. It has no continuous log then.
    #[must_use]
    pub fn is_realtime(&self) -> bool {
        let major: Option<u32> = self.glue_version.and_then(|version| version.split('.').next()?.parse().ok());
        major.is_some_and(|major| major >= 5)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    const ON: (&str, &str) = ("--enable-continuous-cloudwatch-log", "true");

    fn arguments(arguments: &[(&str, &str)]) -> LogArguments {
        let arguments: HashMap<_, _> =
            arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        LogArguments::of(|name| arguments.get(name))
    }

    fn run<'a>(version: Option<&'a str>, group: &'a str) -> LoggedRun<'a> {
        LoggedRun { id: "jr_1", group: Some(group), glue_version: version }
    }

    #[test]
    fn groups_and_prefixes_follow_the_version_and_the_arguments() {
        let custom = [("--custom-logGroup-prefix", "/etl"), ("--custom-logStream-prefix", "mine")];
        let own = [ON, ("--continuous-log-logGroup", "/own"), ("--continuous-log-logStreamPrefix", "nightly")];
        let jobs = "/aws-glue/jobs";
        for (given, version, group, log, expected) in [
            (&[][..], Some("4.0"), jobs, Log::Output, Some(("/aws-glue/jobs/output", "jr_1"))),
            (&[], Some("5.0"), jobs, Log::Error, Some(("/aws-glue/jobs/error", "jr_1"))),
            (&custom, Some("5.1"), jobs, Log::Output, Some(("/etl/output", "mine"))),
            (&custom, Some("4.0"), jobs, Log::Output, Some(("/aws-glue/jobs/output", "jr_1"))),
            (&[], Some("4.0"), "/aws-glue/jobs-role-sec/", Log::Error, Some(("/aws-glue/jobs-role-sec/error", "jr_1"))),
            (&[], None, "/aws-glue/python-jobs", Log::Output, Some(("/aws-glue/python-jobs/output", "jr_1"))),
            (&[], Some("4.0"), jobs, Log::Continuous, None),
            (&[("--enable-continuous-cloudwatch-log", "false")], Some("4.0"), jobs, Log::Continuous, None),
            (&[ON], Some("5.0"), jobs, Log::Continuous, None),
            (&[ON], Some("10.0"), jobs, Log::Continuous, None),
            (&[ON], None, jobs, Log::Continuous, Some((CONTINUOUS_GROUP, "jr_1"))),
            (&own, Some("3.0"), jobs, Log::Continuous, Some(("/own", "nightly"))),
        ] {
            let place = LogPlace::of(run(version, group), &arguments(given), log);
            let found = place.as_ref().map(|place| (place.group.as_str(), place.prefix.as_str()));
            assert_eq!(found, expected, "{given:?} {version:?} {log:?}");
        }
        let without_group = LoggedRun { group: None, ..run(Some("4.0"), "") };
        assert_eq!(LogPlace::of(without_group, &arguments(&[]), Log::Output), None);
    }

    #[test]
    fn the_arguments_of_a_run_come_before_those_of_its_job() {
        let job = arguments(&[ON, ("--continuous-log-logGroup", "/etl"), ("--custom-logGroup-prefix", "/all")]);
        let of = |given: &[(&str, &str)]| {
            let place = LogPlace::of(run(None, "/g"), &arguments(given).or(&job), Log::Continuous);
            place.map(|place| place.group)
        };
        assert_eq!(of(&[]).as_deref(), Some("/etl"));
        assert_eq!(of(&[("--continuous-log-logGroup", "/own")]).as_deref(), Some("/own"));
        assert_eq!(of(&[("--enable-continuous-cloudwatch-log", "false")]), None);
        assert_eq!(arguments(&[]).or(&job), job);
        assert_eq!(job.names().collect::<Vec<_>>(), ["/etl", "/all"]);
    }

    #[test]
    fn the_streams_of_a_run_are_told_from_those_of_its_retries_and_of_other_runs() {
        let executor = |name: &str| Some(Writer::Executor(name.to_owned()));
        let place = LogPlace::of(run(Some("5.0"), "/g"), &arguments(&[]), Log::Output).unwrap();
        for (stream, writer) in [
            ("jr_1", Some(Writer::Driver)),
            ("jr_1-driver", Some(Writer::Driver)),
            ("jr_1-1", executor("1")),
            ("jr_1_g-4af", executor("g-4af")),
            ("jr_1_attempt_1", None),
            ("jr_1_attempt_1-driver", None),
            ("jr_12", None),
            ("jr_1-progress-bar", None),
            ("jr_1-job-insights-rca-driver", None),
            ("jr_2", None),
        ] {
            assert_eq!(place.writer(stream), writer, "{stream}");
        }
        assert!(!place.is_shared());
        let retry = LoggedRun { id: "jr_1_attempt_1", ..run(Some("4.0"), "/g") };
        let place = LogPlace::of(retry, &arguments(&[]), Log::Error).unwrap();
        assert_eq!(place.writer("jr_1_attempt_1"), Some(Writer::Driver));
        assert_eq!(place.writer("jr_1_attempt_10"), None);
        let custom = arguments(&[("--custom-logStream-prefix", "nightly")]);
        let place = LogPlace::of(run(Some("5.0"), "/g"), &custom, Log::Output).unwrap();
        for (stream, writer) in [
            ("nightly-driver", Some(Writer::Driver)),
            ("nightly-2", executor("2")),
            ("nightly-jr_1-driver", Some(Writer::Driver)),
            ("nightly/jr_1-3", executor("3")),
            ("nightly-jr_2-driver", None),
            ("nightly-jr_1_attempt_1", None),
            ("nightly-progress-bar", None),
            ("jr_1-driver", None),
        ] {
            assert_eq!(place.writer(stream), writer, "{stream}");
        }
        assert!(place.is_shared());
        assert_eq!(place.driver_streams(), ["nightly-driver", "nightly"]);
    }
}
