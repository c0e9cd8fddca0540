//! Groups and streams, and what clients write to them.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    OfGroup, exists, invalid,
    store::{Group, Stream},
};
use crate::{
    clock::Time,
    glue::{
        Region,
        operation::{Input, Operation, Reply, operations, reply},
        page,
    },
};

pub(super) const OPERATIONS: &[Operation] = operations! { "log-group":
    CreateLogGroup("/logGroupName") => create_group,
    CreateLogStream("/logStreamName") => create_stream,
    PutLogEvents("/logStreamName") => put_events,
    DescribeLogGroups("/logGroupNamePrefix") => describe_groups,
    DescribeLogStreams("/logGroupName") => describe_streams,
};

/// The size of a page, and its bound (`DescribeLogStreams`, CloudWatch Logs API reference).
const PAGE: usize = 50;

#[expect(clippy::struct_field_names, reason = "the API's names")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: String,
    #[serde(default)]
    log_stream_name: String,
    #[serde(default)]
    log_events: Vec<InputLogEvent>,
}

#[derive(Deserialize)]
struct InputLogEvent {
    timestamp: i64,
    message: String,
}

fn create_group(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { log_group_name: name, .. } = input.read()?;
    let created = region.now();
    if region.logs.groups.contains_key(&name) {
        return Err(exists("group"));
    }
    region.logs.groups.insert(name, Group { created, ..Group::default() });
    reply(&json!({}))
}

fn create_stream(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { log_group_name, log_stream_name, .. } = input.read()?;
    let created = region.now();
    region.logs.group(&log_group_name)?;
    let group = region.logs.groups.entry(log_group_name).or_default();
    if group.streams.contains_key(&log_stream_name) {
        return Err(exists("stream"));
    }
    group.streams.insert(log_stream_name, Stream { created, ..Stream::default() });
    reply(&json!({}))
}

fn put_events(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { log_group_name: group, log_stream_name: stream, log_events: events } = input.read()?;
    let now = region.now();
    region.logs.group(&group)?.stream(&stream)?;
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    for event in events {
        region.logs.write(&group, &stream, Time(event.timestamp), now, event.message.into());
    }
    reply(&json!({ "nextSequenceToken": "0" }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeLogGroups {
    log_group_name_prefix: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[expect(clippy::struct_field_names, reason = "the API's names")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogGroup<'a> {
    log_group_name: &'a str,
    creation_time: i64,
    arn: String,
    stored_bytes: u64,
}

fn describe_groups(region: &mut Region, input: &Input<'_>) -> Reply {
    let request: DescribeLogGroups = input.read()?;
    let prefix = request.log_group_name_prefix.unwrap_or_default();
    let list = format!("groups {prefix}");
    let after = request.next_token.map(|token| position(&list, &token)).transpose()?;
    let mut rest = region.logs.groups.iter().filter(|(name, _)| name.starts_with(&prefix));
    let arn = |name: &str| format!("arn:aws:logs:{}:{}:log-group:{name}:*", region.name, region.account);
    let shown: Vec<_> = rest
        .by_ref()
        .skip_while(|(name, _)| after.as_ref().is_some_and(|after| *name <= after))
        .take(request.limit.unwrap_or(PAGE))
        .map(|(name, group)| LogGroup {
            log_group_name: name,
            creation_time: group.created.0,
            arn: arn(name),
            stored_bytes: 0,
        })
        .collect();
    let end_of_page = shown.last().map(|group| group.log_group_name).unwrap_or_default();
    let next_token = rest.next().is_some().then(|| page::token(&list, end_of_page));
    reply(&with_token(json!({ "logGroups": shown }), next_token))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeLogStreams {
    #[serde(flatten)]
    group: OfGroup,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[expect(clippy::struct_field_names, reason = "the API's names")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogStream<'a> {
    log_stream_name: &'a str,
    creation_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_timestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ingestion_time: Option<i64>,
    arn: String,
    stored_bytes: u64,
}

fn describe_streams(region: &mut Region, input: &Input<'_>) -> Reply {
    let request: DescribeLogStreams = input.read()?;
    let name = request.group.name()?;
    let by_time = request.order_by.as_deref() == Some("LastEventTime");
    // `DescribeLogStreams`, CloudWatch Logs API reference.
    if by_time && request.log_stream_name_prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let prefix = request.log_stream_name_prefix.unwrap_or_default();
    let group = region.logs.group(name)?;
    let mut streams: Vec<_> = group.streams.iter().filter(|(stream, _)| stream.starts_with(&prefix)).collect();
    if by_time {
        streams.sort_by_key(|(_, stream)| stream.events.last().map(|event| event.key));
    }
    if request.descending {
        streams.reverse();
    }
    let list = format!("streams {name} {prefix} {by_time} {}", request.descending);
    let after = request.next_token.map(|token| position(&list, &token)).transpose()?;
    // A stream that is created between two pages does not shift the others.
    let start =
        after.map_or(0, |after| streams.iter().position(|(stream, _)| **stream == after).map_or(0, |at| at + 1));
    let end = streams.len().min(start + request.limit.unwrap_or(PAGE));
    let arn =
        |stream: &str| format!("arn:aws:logs:{}:{}:log-group:{name}:log-stream:{stream}", region.name, region.account);
    let shown: Vec<_> = streams[start..end]
        .iter()
        .map(|(stream, of)| LogStream {
            log_stream_name: stream,
            creation_time: of.created.0,
            first_event_timestamp: of.events.first().map(|event| event.key.0),
            last_event_timestamp: of.events.last().map(|event| event.key.0),
            last_ingestion_time: of.events.iter().map(|event| event.ingested.0).max(),
            arn: arn(stream),
            stored_bytes: 0,
        })
        .collect();
    let end_of_page = shown.last().map(|stream| stream.log_stream_name).unwrap_or_default();
    let next_token = (end < streams.len()).then(|| page::token(&list, end_of_page));
    reply(&with_token(json!({ "logStreams": shown }), next_token))
}

fn position(list: &str, token: &str) -> Result<String, crate::error::AwsError> {
    page::position(list, token).map_err(|_| invalid(super::token::INVALID_TOKEN))
}

fn with_token(mut answer: serde_json::Value, next_token: Option<String>) -> serde_json::Value {
    if let Some(token) = next_token {
        answer["nextToken"] = token.into();
    }
    answer
}
