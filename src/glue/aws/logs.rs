//! The calls to CloudWatch Logs. It counts calls apart from Glue, and has a rate limiter of its own.

use std::sync::{Arc, OnceLock};

use aws_sdk_cloudwatchlogs::types::OutputLogEvent;

use super::{Glue, errors, non_empty};
use crate::glue::logs::{LogEvent, LogPage, PageStart};
use crate::glue::poller::listing::Page;
use crate::glue::rate_limiter::{Priority, RateLimiter};
use crate::glue::{Error, ErrorKind};

/// What a client has for CloudWatch Logs. Most clients never call it.
#[derive(Default)]
pub(super) struct LogsClient {
    sdk: OnceLock<aws_sdk_cloudwatchlogs::Client>,
}

impl Glue {
    /// One page of `DescribeLogStreams`: the names of the group's streams that begin with `prefix`, by name.
    pub async fn log_streams(&self, group: &str, prefix: &str, token: Option<String>) -> Result<Page<String>, Error> {
        let request = self.logs().describe_log_streams().log_group_name(group).log_stream_name_prefix(prefix);
        let request = request.set_next_token(token).send();
        let limiter = self.logs_limiter();
        limiter.acquire(Priority::Poll, self.client_id()).await;
        let answer = self.send_within(limiter, "DescribeLogStreams", format!("log group {group}"), request).await?;
        let names = answer.log_streams.unwrap_or_default().into_iter().filter_map(|stream| stream.log_stream_name);
        Ok(Page { items: names.collect(), next: non_empty(answer.next_token) })
    }

    /// One page of `GetLogEvents`, in the order of time.
    pub async fn log_events(&self, group: &str, stream: &str, start: &PageStart) -> Result<LogPage, Error> {
        let request = self.logs().get_log_events().log_group_name(group).log_stream_name(stream);
        let request = match start {
            PageStart::Time(from) => request.start_time((*from).max(0)).start_from_head(true),
            PageStart::Token(token, from) => request.start_time((*from).max(0)).start_from_head(true).next_token(token),
            PageStart::Last(events) => {
                request.start_from_head(false).limit(i32::try_from(*events).unwrap_or(i32::MAX).max(1))
            }
        };
        let object = format!("log group {group} stream {stream}");
        let limiter = self.logs_limiter();
        limiter.acquire(Priority::Poll, self.client_id()).await;
        let answer = self.send_within(limiter, "GetLogEvents", object.clone(), request.send()).await?;
        let next = non_empty(answer.next_forward_token);
        let next = next.ok_or_else(|| errors::incomplete("GetLogEvents", object, ErrorKind::Transient, "token"))?;
        let events = answer.events.unwrap_or_default().into_iter().map(event).collect();
        Ok(LogPage { events, next: Some(next) })
    }

    fn logs(&self) -> &aws_sdk_cloudwatchlogs::Client {
        self.inner.logs.sdk.get_or_init(|| {
            let mut config = aws_sdk_cloudwatchlogs::config::Builder::from(&self.inner.signer.config);
            if let Some(url) = &self.inner.identity.endpoints.logs {
                config = config.endpoint_url(url);
            }
            aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
        })
    }

    fn logs_limiter(&self) -> &Arc<RateLimiter> {
        self.inner.logs_limiter.get(&self.inner.signer, &self.inner.identity)
    }
}

fn event(event: OutputLogEvent) -> LogEvent {
    let message = event.message.unwrap_or_default();
    LogEvent {
        timestamp: event.timestamp.unwrap_or_default(),
        ingested: event.ingestion_time.unwrap_or_default(),
        message: message.trim_end_matches(['\n', '\r']).to_owned(),
    }
}
