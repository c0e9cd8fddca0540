//! Links to the AWS console of the right partition.

use crate::api::crawler_run::CrawlLinks;
use crate::api::job_run::Links;
use crate::glue::crawls::Crawl;

/// The pages of run `id` of `job`; its logs when Glue names the log group.
#[must_use]
pub fn job_run(region: &str, job: &str, id: &str, log_group: Option<&str>) -> Links {
    let console = console(region);
    let log = |kind: &str| {
        let group = log_group.map(|group| format!("{group}/{kind}"))?;
        Some(format!(
            "{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}/log-events$3FlogStreamNameFilter$3D{}",
            fragment(&group),
            fragment(id)
        ))
    };
    Links {
        console: format!("{console}/gluestudio/home?region={region}#/job/{}/run/{}", encoded(job), encoded(id)),
        output_log: log("output"),
        error_log: log("error"),
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

    #[test]
    fn each_partition_has_its_own_console() {
        for (region, host) in [
            ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/"),
            ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
            ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
        ] {
            assert!(job_run(region, "etl", "jr_1", None).console.starts_with(host), "{region}");
        }
    }

    #[test]
    fn names_are_encoded_as_the_console_expects_them() {
        let links = job_run("eu-west-1", "daily load", "jr_1", Some("/aws-glue/jobs"));
        assert!(links.console.ends_with("#/job/daily%20load/run/jr_1"));
        let log = links.output_log.unwrap_or_default();
        assert!(
            log.contains("log-group/$252Faws-glue$252Fjobs$252Foutput/log-events$3FlogStreamNameFilter$3Djr_1"),
            "{log}"
        );
    }
}
