//! Links to the AWS console of the right partition.

use crate::api::crawler_run::CrawlLinks;
use crate::api::job_run::Links;
use crate::api::workflow_run::WorkflowLinks;
use crate::glue::crawls::Crawl;
use crate::glue::job_runs::JobRun;
use crate::glue::logs::places::{Log, LogPlace};

/// The pages of `run` of `job`, and of its logs as far as Glue names them.
#[must_use]
pub fn job_run(region: &str, job: &str, run: &JobRun) -> Links {
    let console = console(region);
    let log = |group: &str, stream_prefix: &str| {
        format!(
            "{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}/log-events$3FlogStreamNameFilter$3D{}",
            fragment(group),
            fragment(stream_prefix)
        )
    };
    let arguments = run.details.as_ref().map(|details| details.logs.clone()).unwrap_or_default();
    let log = |kind: Log| LogPlace::of(run.logged(), &arguments, kind).map(|place| log(&place.group, &place.prefix));
    Links {
        console: format!("{console}/gluestudio/home?region={region}#/job/{}/run/{}", encoded(job), encoded(&run.id)),
        output_log: log(Log::Output),
        error_log: log(Log::Error),
        continuous_log: log(Log::Continuous),
    }
}

/// The pages of `crawl` of `crawler`.
#[must_use]
pub fn crawl(region: &str, crawler: &str, crawl: &Crawl) -> CrawlLinks {
    let console = console(region);
    let log = crawl.log_group.as_deref().zip(crawl.log_stream.as_deref()).map(|(group, stream)| {
        let prefix = crawl.message_prefix.as_deref();
        let filter = prefix.map(|prefix| format!("$3FfilterPattern$3D{}", fragment(&format!("\"{prefix}\""))));
        format!(
            "{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}/log-events/{}{}",
            fragment(group),
            fragment(stream),
            filter.unwrap_or_default()
        )
    });
    CrawlLinks {
        console: format!("{console}/glue/home?region={region}#/v2/data-catalog/crawlers/view/{}", encoded(crawler)),
        log,
    }
}

/// The page of run `id` of `workflow`, with its graph.
#[must_use]
pub fn workflow_run(region: &str, workflow: &str, id: &str) -> WorkflowLinks {
    let page = format!("{}/glue/home?region={region}#/v2/etl-configuration/workflows/run", console(region));
    WorkflowLinks { console: format!("{page}/{}?runId={}", encoded(workflow), encoded(id)) }
}

/// The URL of the console in the region's partition.
fn console(region: &str) -> String {
    let domain = if region.starts_with("cn-") {
        "console.amazonaws.cn"
    } else if region.starts_with("us-gov-") {
        "console.amazonaws-us-gov.com"
    } else {
        "console.aws.amazon.com"
    };
    format!("https://{region}.{domain}")
}

/// The CloudWatch console encodes names in its fragment twice, with $ in place of the outer %.
fn fragment(name: &str) -> String {
    encoded(&encoded(name)).replace('%', "$")
}

fn encoded(name: &str) -> String {
    use std::fmt::Write;
    name.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::job_runs::{JobRunState, RunDetails};
    use crate::glue::logs::arguments::LogArguments;

    fn run() -> JobRun {
        JobRun::fixture("jr_1", JobRunState::Running)
    }

    #[test]
    fn each_partition_has_its_own_console() {
        for (region, host) in [
            ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/"),
            ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
            ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
        ] {
            assert!(job_run(region, "etl", &run()).console.starts_with(host), "{region}");
        }
    }

    #[test]
    fn a_workflow_run_has_its_page() {
        let console = workflow_run("eu-west-1", "daily load", "wr_1").console;
        assert!(console.ends_with("#/v2/etl-configuration/workflows/run/daily%20load?runId=wr_1"), "{console}");
    }

    #[test]
    fn names_are_encoded_as_the_console_expects_them() {
        let log = |group: Option<&str>, prefix: Option<&str>| {
            let logs = LogArguments {
                continuous: Some(true),
                continuous_group: group.map(str::to_owned),
                continuous_stream_prefix: prefix.map(str::to_owned),
                ..LogArguments::default()
            };
            Some(Box::new(RunDetails { logs, ..RunDetails::default() }))
        };
        let logged = JobRun { log_group: Some("/aws-glue/jobs".to_owned()), details: log(None, None), ..run() };
        let links = job_run("eu-west-1", "daily load", &logged);
        assert!(links.console.ends_with("#/job/daily%20load/run/jr_1"));
        for (link, place) in [
            (links.output_log, "$252Faws-glue$252Fjobs$252Foutput/log-events$3FlogStreamNameFilter$3Djr_1"),
            (links.continuous_log, "$252Faws-glue$252Fjobs$252Flogs-v2/log-events$3FlogStreamNameFilter$3Djr_1"),
        ] {
            let link = link.unwrap_or_default();
            assert!(link.ends_with(&format!("log-group/{place}")), "{link}");
        }
        let prefixed = JobRun { details: log(Some("/etl"), Some("daily")), ..run() };
        let link = job_run("eu-west-1", "etl", &prefixed).continuous_log.unwrap_or_default();
        assert!(link.ends_with("log-group/$252Fetl/log-events$3FlogStreamNameFilter$3Ddaily"), "{link}");
    }
}
