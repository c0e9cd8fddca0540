//! Job runs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{KEY_ARGUMENT, Searching, Simulated, Wanted};
use crate::api::run::RunStatus;
use crate::api::{GlueJobRun, GlueJobRunSpec};
use crate::controllers::job_run::lookup;
use crate::controllers::run::RunKind;
use crate::controllers::run::facts::ObservedRun;
use crate::controllers::run::sharing;
use crate::controllers::runtime::shared_runs::Need;
use crate::glue::Error;
use crate::glue::job_runs::fingerprint::Fingerprint;
use crate::glue::job_runs::history::{HistoryPage, HistoryRun};
use crate::glue::job_runs::search::{HistoryReader, LONGEST};
use crate::glue::job_runs::source::{JobRunItem, JobRunSource, RunReader};
use crate::glue::job_runs::{JobRun, JobSettings, RunMatcher};
use crate::glue::poller::listing::Page;
use crate::simulation::calls::{Answer, CallTo};
use crate::simulation::cluster::Object;
use crate::simulation::glue::episode::Operation;
use crate::simulation::glue::job::Listed;
use crate::simulation::mailbox::{Mailbox, not_understood};
use crate::simulation::polls::Reads;
use crate::simulation::process::Process;

/// The objects of the world are job runs.
#[derive(Debug)]
pub struct JobRuns;

impl Simulated for JobRuns {
    type Object = GlueJobRun;
    type Source = JobRunSource<Reads>;
    type Item = JobRunItem;
    type Found = Vec<JobRun>;

    const LONGEST_SEARCH: Duration = LONGEST;
    const CALLS_FOR_CHANGE: usize = 0;

    fn operation(operation: Operation) -> &'static str {
        match operation {
            Operation::Start => "StartJobRun",
            Operation::Stop => "BatchStopJobRun",
            Operation::List => "GetJobRuns",
            Operation::Get => "GetJobRun",
            Operation::GetTarget => "GetJob",
        }
    }

    fn source(client: Reads, job: String) -> JobRunSource<Reads> {
        JobRunSource { client, job }
    }

    fn parts(source: &JobRunSource<Reads>) -> (&Reads, &str) {
        (&source.client, &source.job)
    }

    fn need(object: &Object, status: &RunStatus) -> Need {
        let spec = GlueJobRunSpec {
            job_name: object.target.clone(),
            policy: object.policy.clone(),
            ..GlueJobRunSpec::default()
        };
        sharing::need(&GlueJobRun { metadata: object.meta.clone(), spec, status: None }, status)
    }

    fn observed(item: &JobRunItem) -> Option<ObservedRun> {
        GlueJobRun::new("", GlueJobRunSpec::default()).observe(item)
    }

    /// As `look_up` of the kind.
    fn search(process: &mut Process<Self>, mailbox: Mailbox, wanted: &Wanted<'_>) -> Searching<Vec<JobRun>> {
        let matcher = RunMatcher::Argument { name: KEY_ARGUMENT.to_owned(), base: wanted.query.base_key.clone() };
        let earliest = lookup::earliest_start(wanted.query, &matcher);
        let histories = Arc::clone(process.histories.entry(wanted.client).or_default());
        let (reads, job) = (HistoryReads { mailbox, is_urgent: wanted.is_urgent }, wanted.object.target.clone());
        Box::pin(async move { histories.search(&reads, &job, &matcher, earliest).await })
    }

    fn pick(found: Vec<JobRun>, number: Option<u32>, is_recorded: impl Fn(&str) -> bool) -> Option<ObservedRun> {
        let newest = lookup::newest(found, number, is_recorded)?;
        Self::observed(&JobRunItem { run: newest, retry_expected: false })
    }
}

impl RunReader for Reads {
    async fn page(&self, job: &str, token: Option<String>) -> Result<Page<JobRun>, Error> {
        let (runs, next) = self.mailbox.list(job, token).await?;
        Ok(Page { items: runs.into_iter().map(|(run, _)| run).collect(), next })
    }

    async fn run(&self, job: &str, id: &str) -> Result<JobRun, Error> {
        Ok(self.mailbox.get(job, id).await?.0)
    }

    async fn job(&self, job: &str) -> Result<JobSettings, Error> {
        match self.mailbox.ask(CallTo::GetTarget).await? {
            Answer::Places(_) => Ok(JobSettings::default()),
            _ => Err(not_understood(job)),
        }
    }
}

/// What a search reads the history with.
struct HistoryReads {
    mailbox: Mailbox,
    is_urgent: bool,
}

impl HistoryReader for HistoryReads {
    fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    async fn page(&self, job: &str, token: Option<String>) -> Result<HistoryPage, Error> {
        let (runs, next) = self.mailbox.list(job, token).await?;
        Ok(HistoryPage { runs: runs.into_iter().map(history_run).collect(), next })
    }

    async fn run(&self, job: &str, id: &str, matcher: &RunMatcher) -> Result<JobRun, Error> {
        let (run, key) = self.mailbox.get(job, id).await?;
        Ok(JobRun { matched: matcher.satisfied_by(&arguments(key), false), ..run })
    }
}

/// The arguments of a run, as far as a search needs them.
fn arguments(key: String) -> HashMap<String, String> {
    HashMap::from([(KEY_ARGUMENT.to_owned(), key)])
}

fn history_run((run, key): Listed) -> HistoryRun {
    let fingerprint = Fingerprint::of(&arguments(key), false, Some(KEY_ARGUMENT));
    HistoryRun { id: run.id.into(), started_on: run.started_on, is_final: run.state.is_final(), fingerprint }
}
