//! What of the logs of a run is shown.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::glue::logs::places::Log;
use crate::plugin::aws::AwsArgs;
use crate::plugin::connect::duration;

#[derive(Args, Debug)]
pub(in crate::plugin) struct LogsArgs {
    /// The run, for example gjr/nightly
    #[arg(required = true, value_name = "KIND/NAME")]
    pub(in crate::plugin) name: Vec<String>,
    /// Go on until the run ends, and then with its next attempt
    #[arg(short, long)]
    pub(in crate::plugin) follow: bool,
    #[command(flatten)]
    pub(in crate::plugin) extent: LogExtent,
    #[command(flatten)]
    pub(in crate::plugin) aws: AwsArgs,
}

/// What is shown of the log of a run.
#[derive(Args, Clone, Debug, Default)]
pub(in crate::plugin) struct LogExtent {
    /// The log: what the script writes, what goes to standard error before Glue 5.0 and what Spark says from then on, or
    /// the continuous log before Glue 5.0; several are separated by commas [default: output]
    #[arg(long = "stream", value_name = "LOG", value_delimiter = ',')]
    streams: Vec<LogStream>,
    /// Only lines that are not older than this, for example 10m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(in crate::plugin) since: Option<Duration>,
    /// The run of this attempt; by default the latest one
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::plugin) attempt: Option<u32>,
    /// Only so many of the last lines of now, and what follows
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::plugin) tail: Option<u32>,
    /// Begin each line with its time
    #[arg(long)]
    pub(in crate::plugin) timestamps: bool,
}

impl LogExtent {
    /// The logs to show.
    pub(in crate::plugin) fn logs(&self) -> Vec<Log> {
        let mut logs: Vec<_> = self.streams.iter().map(|stream| Log::from(*stream)).collect();
        logs.sort_unstable();
        logs.dedup();
        if logs.is_empty() { vec![Log::Output] } else { logs }
    }
}

/// A log of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::plugin) enum LogStream {
    Output,
    Error,
    Continuous,
}

impl From<LogStream> for Log {
    fn from(stream: LogStream) -> Self {
        match stream {
            LogStream::Output => Self::Output,
            LogStream::Error => Self::Error,
            LogStream::Continuous => Self::Continuous,
        }
    }
}
