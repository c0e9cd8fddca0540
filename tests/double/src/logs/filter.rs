//! `FilterLogEvents`: the events of a group, over its streams.

use serde::{Deserialize, Serialize};

use super::{
    OfGroup, invalid,
    store::{Event, Key},
    token::Token,
};
use crate::glue::{
    Region,
    operation::{Input, Operation, Reply, operations, reply},
};

pub(super) const OPERATIONS: &[Operation] = operations! { "log-group":
    FilterLogEvents("/logGroupName") => filter_log_events,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FilterLogEvents {
    #[serde(flatten)]
    group: OfGroup,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    /// Read as a text that the message contains; the double knows no patterns.
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilteredLogEvents<'a> {
    events: Vec<FilteredLogEvent<'a>>,
    /// "Starting on May 15, 2020, this is deprecated" (`FilterLogEvents`, CloudWatch Logs API reference).
    searched_log_streams: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilteredLogEvent<'a> {
    log_stream_name: &'a str,
    timestamp: i64,
    message: &'a str,
    ingestion_time: i64,
    event_id: String,
}

fn filter_log_events(region: &mut Region, input: &Input<'_>) -> Reply {
    let request: FilterLogEvents = input.read()?;
    let now = region.now();
    let name = request.group.name()?;
    let store = &region.logs;
    let group = store.group(name)?;
    let (names, prefix) = (&request.log_stream_names, &request.log_stream_name_prefix);
    if names.is_some() && prefix.is_some() {
        return Err(invalid("Only one of logStreamNames and logStreamNamePrefix may be given."));
    }
    for wanted in names.iter().flatten() {
        group.stream(wanted)?;
    }
    let is_searched = |stream: &str| {
        names.as_ref().is_none_or(|names| names.iter().any(|name| name == stream))
            && prefix.as_ref().is_none_or(|prefix| stream.starts_with(prefix.as_str()))
    };
    let pattern = request.filter_pattern.as_deref().unwrap_or_default().trim_matches('"');
    let list = format!("filter {name} {}", store.generation);
    let token = request.next_token.as_deref().map(|token| Token::read(&list, token, now)).transpose()?;
    let after: Option<Key> = token.map(|token| token.key);
    let mut found: Vec<(&str, &Event)> = Vec::new();
    for (stream, of) in group.streams.iter().filter(|(stream, _)| is_searched(stream)) {
        let events = &of.events[of.between(request.start_time, request.end_time)];
        let wanted = |event: &&Event| event.message.contains(pattern) && after.is_none_or(|after| event.key > after);
        found.extend(events.iter().filter(wanted).map(|event| (stream.as_str(), event)));
    }
    // "Sorted by event timestamp, the timestamp when the event was ingested, and the ID of the PutLogEvents request"
    // (`FilterLogEvents`, CloudWatch Logs API reference). Events are numbered as they are ingested.
    found.sort_by_key(|(_, event)| event.key);
    let is_next_empty = store.pages.with_empty_pages && token.is_none_or(|token| !token.after_empty_page);
    let (shown, key) = if is_next_empty && !found.is_empty() {
        (0, after.unwrap_or((i64::MIN, 0)))
    } else {
        let shown = store.pages.fitting(found.iter().map(|(_, event)| *event), request.limit);
        (shown, found[..shown].last().map_or((i64::MIN, 0), |(_, event)| event.key))
    };
    let next = Token { key, issued: now, after_empty_page: is_next_empty };
    let next_token = (shown < found.len()).then(|| next.write(&list));
    let events = found[..shown].iter().map(|(stream, event)| FilteredLogEvent {
        log_stream_name: stream,
        timestamp: event.key.0,
        message: &event.message,
        ingestion_time: event.ingested.0,
        event_id: format!("{:056}", event.key.1),
    });
    let events = events.collect();
    reply(&FilteredLogEvents { events, searched_log_streams: [], next_token })
}
