//! The calls that show what an account has, for inventories.

use aws_sdk_glue::types::{Crawler as SdkCrawler, Job as SdkJob, NodeType, ScheduleState, Workflow as SdkWorkflow};

use super::large_stack::on_large_stack;
use super::{Glue, errors, newest_first, non_empty, timestamp};
use crate::api::inventory::ItemType;
use crate::glue::crawls::Crawl;
use crate::glue::identity::partition_of;
use crate::glue::inventory::source::{InventoryReader, Progress};
use crate::glue::inventory::{Crawler, Job, Tags, Workflow};
use crate::glue::job_runs::JobRun;
use crate::glue::poller::listing::Page;
use crate::glue::rate_limiter::Priority;
use crate::glue::triggers::Trigger;
use crate::glue::workflow_runs::NodeKind;
use crate::glue::{Error, ErrorKind};

/// The sizes of pages. Glue allows 1,000 jobs and crawlers, but a job may be large, and the page is in memory whole.
const JOBS: i32 = 100;
const CRAWLERS: i32 = 100;
/// Glue API reference, `GetTriggers`: `MaxResults` 1 to 200.
const TRIGGERS: i32 = 200;
/// Glue API reference, `ListWorkflows`: `MaxResults` 1 to 25.
const WORKFLOWS: i32 = 25;

impl InventoryReader for Glue {
    fn progress(&self) -> &Progress {
        &self.inner.inventories
    }

    async fn jobs_page(&self, token: Option<String>) -> Result<Page<(String, Job)>, Error> {
        let request = on_large_stack(self.inner.sdk.get_jobs().max_results(JOBS).set_next_token(token).send());
        let response = self.call("GetJobs", "jobs".to_owned(), Priority::Poll, request).await?;
        let jobs = listed("GetJobs", response.jobs)?.filter_map(job);
        Ok(Page { items: jobs.collect(), next: non_empty(response.next_token) })
    }

    async fn newest_job_runs(&self, job: &str, count: usize) -> Result<Vec<JobRun>, Error> {
        self.some_job_runs(job, count).await
    }

    async fn crawlers_page(&self, token: Option<String>) -> Result<Page<(String, Crawler)>, Error> {
        let request = self.inner.sdk.get_crawlers().max_results(CRAWLERS).set_next_token(token).send();
        let response = self.call("GetCrawlers", "crawlers".to_owned(), Priority::Poll, request).await?;
        let crawlers = listed("GetCrawlers", response.crawlers)?.filter_map(crawler);
        Ok(Page { items: crawlers.collect(), next: non_empty(response.next_token) })
    }

    async fn newest_crawls_of(&self, crawler: &str, count: usize) -> Result<Vec<Crawl>, Error> {
        self.some_crawls(crawler, count).await
    }

    async fn triggers_page(&self, token: Option<String>) -> Result<Page<Trigger>, Error> {
        let request = self.inner.sdk.get_triggers().max_results(TRIGGERS).set_next_token(token).send();
        let response = self.call("GetTriggers", "triggers".to_owned(), Priority::Poll, request).await?;
        let triggers = listed("GetTriggers", response.triggers)?.filter_map(super::triggers::trigger_from_sdk);
        Ok(Page { items: triggers.collect(), next: non_empty(response.next_token) })
    }

    async fn workflow_names_page(&self, token: Option<String>) -> Result<Page<String>, Error> {
        let request = self.inner.sdk.list_workflows().max_results(WORKFLOWS).set_next_token(token).send();
        let response = self.call("ListWorkflows", "workflows".to_owned(), Priority::Poll, request).await?;
        let names = listed("ListWorkflows", response.workflows)?;
        Ok(Page { items: names.collect(), next: non_empty(response.next_token) })
    }

    async fn workflows(&self, names: &[String]) -> Result<Vec<(String, Workflow)>, Error> {
        let request = self.inner.sdk.batch_get_workflows().set_names(Some(names.to_vec())).include_graph(true).send();
        let object = format!("{} workflows", names.len());
        let response = self.call("BatchGetWorkflows", object, Priority::Poll, request).await?;
        let workflows = listed("BatchGetWorkflows", response.workflows)?;
        Ok(workflows.filter_map(|workflow| Some((workflow.name.clone()?, self.workflow_from_sdk(workflow)))).collect())
    }

    async fn workflow(&self, name: &str) -> Result<Workflow, Error> {
        let object = format!("workflow {name}");
        let request = self.inner.sdk.get_workflow().name(name).include_graph(true).send();
        let response = self.call("GetWorkflow", object.clone(), Priority::Poll, request).await?;
        let incomplete = || errors::incomplete("GetWorkflow", object, ErrorKind::Transient, "workflow");
        Ok(self.workflow_from_sdk(response.workflow.ok_or_else(incomplete)?))
    }

    async fn tags(&self, type_: ItemType, name: &str) -> Result<Tags, Error> {
        let object = format!("{} {name}", type_.noun());
        let arn = self.arn(type_, name).ok_or_else(|| Error {
            operation: "GetTags",
            object: object.clone(),
            kind: ErrorKind::Transient,
            code: "AccountUnknown".to_owned(),
            message: "AWS has not said to which account the credentials belong".to_owned(),
        })?;
        let request = self.inner.sdk.get_tags().resource_arn(arn).send();
        let response = self.call("GetTags", object, Priority::Poll, request).await?;
        let incomplete =
            || errors::incomplete("GetTags", format!("{} {name}", type_.noun()), ErrorKind::Transient, "tags");
        Ok(response.tags.ok_or_else(incomplete)?.into_iter().collect())
    }
}

impl Glue {
    /// One page of `GetJobRuns` of up to `count` runs, newest first.
    async fn some_job_runs(&self, job: &str, count: usize) -> Result<Vec<JobRun>, Error> {
        let size = i32::try_from(count).unwrap_or(i32::MAX);
        let request = self.inner.sdk.get_job_runs().job_name(job).max_results(size).send();
        let response = self.call("GetJobRuns", format!("job {job}"), Priority::Poll, request).await?;
        let runs = newest_first(response.job_runs, |run| run.started_on);
        Ok(runs.filter_map(|run| self.job_run_of(run, None)).collect())
    }

    /// One page of `ListCrawls` of up to `count` crawls, newest first.
    async fn some_crawls(&self, crawler: &str, count: usize) -> Result<Vec<Crawl>, Error> {
        let size = i32::try_from(count).unwrap_or(i32::MAX);
        let request = self.inner.sdk.list_crawls().crawler_name(crawler).max_results(size).send();
        let response = self.call("ListCrawls", format!("crawler {crawler}"), Priority::Poll, request).await?;
        let crawls = newest_first(response.crawls, |crawl| crawl.start_time);
        Ok(crawls.filter_map(|crawl| self.crawl_of(crawl)).collect())
    }

    /// The ARN of an item; `None` before AWS has reported the account.
    fn arn(&self, type_: ItemType, name: &str) -> Option<String> {
        let (account, region) = (self.account()?, &self.identity().region);
        Some(format!("arn:{}:glue:{region}:{account}:{}/{name}", partition_of(region), type_.noun()))
    }

    fn workflow_from_sdk(&self, workflow: SdkWorkflow) -> Workflow {
        let nodes = workflow.graph.and_then(|graph| graph.nodes).unwrap_or_default().into_iter();
        let member = |node: aws_sdk_glue::types::Node| match node.r#type? {
            NodeType::Job => Some((NodeKind::Job, node.name?)),
            NodeType::Crawler => Some((NodeKind::Crawler, node.name?)),
            _ => None,
        };
        let last_run = workflow.last_run.and_then(|run| self.last_run_from_sdk(run));
        Workflow { is_read: true, members: nodes.filter_map(member).collect(), last_run }
    }
}

/// The items of a list. An answer without a list is no empty list: everything would count as deleted.
fn listed<T>(operation: &'static str, items: Option<Vec<T>>) -> Result<impl Iterator<Item = T>, Error> {
    let incomplete = || errors::incomplete(operation, "the account".to_owned(), ErrorKind::Transient, "list");
    Ok(items.ok_or_else(incomplete)?.into_iter())
}

/// The job without its runs, by its name.
fn job(job: SdkJob) -> Option<(String, Job)> {
    let command = job.command.and_then(|command| non_empty(command.name));
    Some((job.name?, Job { command, runs: None }))
}

/// The crawler without its crawls, by its name.
fn crawler(crawler: SdkCrawler) -> Option<(String, Crawler)> {
    let (schedule, schedule_state) = crawler.schedule.map(|of| (of.schedule_expression, of.state)).unwrap_or_default();
    let last_crawl = crawler.last_crawl.map(|last| {
        let state = last.status.map_or_else(|| "none".to_owned(), |state| state.as_str().to_owned());
        (last.start_time.and_then(timestamp), state)
    });
    let state = crawler.state.map_or_else(|| "none".to_owned(), |state| state.as_str().to_owned());
    let is_scheduled = schedule_state == Some(ScheduleState::Scheduled);
    let schedule = non_empty(schedule);
    Some((crawler.name?, Crawler { state, schedule, is_scheduled, last_crawl, ..Crawler::default() }))
}
