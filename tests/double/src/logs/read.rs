//! `GetLogEvents`: the events of one stream, in both directions.

use serde::{Deserialize, Serialize};

use super::{
    OfGroup, invalid,
    store::Event,
    token::{INVALID_TOKEN, Token},
};
use crate::{
    clock::Time,
    glue::{
        Region,
        operation::{Input, Operation, Reply, operations, reply},
    },
};

pub(super) const OPERATIONS: &[Operation] = operations! { "log-group":
    GetLogEvents("/logStreamName") => get_log_events,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetLogEvents {
    #[serde(flatten)]
    group: OfGroup,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    start_from_head: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputLogEvents<'a> {
    events: Vec<OutputLogEvent<'a>>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputLogEvent<'a> {
    timestamp: i64,
    message: &'a str,
    ingestion_time: i64,
}

impl<'a> From<&'a Event> for OutputLogEvent<'a> {
    fn from(event: &'a Event) -> Self {
        Self { timestamp: event.key.0, message: &event.message, ingestion_time: event.ingested.0 }
    }
}

fn get_log_events(region: &mut Region, input: &Input<'_>) -> Reply {
    let request: GetLogEvents = input.read()?;
    let now = region.now();
    let group = request.group.name()?;
    let store = &region.logs;
    let stream = store.group(group)?.stream(&request.log_stream_name)?;
    let list = |direction: char| format!("{direction} {group} {} {}", request.log_stream_name, store.generation);
    let range = stream.between(request.start_time, request.end_time);
    let events = &stream.events;
    let given = request.next_token.as_deref();
    let read = |direction, token: &str| Token::read(&list(direction), &token[2..], now);
    // The token's prefix says in which direction it leads.
    let forward = given.filter(|token| !token.starts_with("b/"));
    let (start, end) = match given {
        Some(token) if token.starts_with("b/") => {
            let token = read('b', token)?;
            let end = events.partition_point(|event| event.key < token.key).clamp(range.start, range.end);
            (end - store.pages.fitting(events[range.start..end].iter().rev(), request.limit), end)
        }
        Some(token) => {
            let token = if token.starts_with("f/") { read('f', token)? } else { return Err(invalid(INVALID_TOKEN)) };
            let start = events.partition_point(|event| event.key <= token.key).clamp(range.start, range.end);
            if store.pages.with_empty_pages && !token.after_empty_page && start < range.end {
                let next = Token { issued: now, after_empty_page: true, ..token };
                return reply(&OutputLogEvents {
                    events: Vec::new(),
                    next_forward_token: format!("f/{}", next.write(&list('f'))),
                    next_backward_token: format!("b/{}", token.write(&list('b'))),
                });
            }
            (start, start + store.pages.fitting(events[start..range.end].iter(), request.limit))
        }
        None if request.start_from_head => {
            (range.start, range.start + store.pages.fitting(events[range.clone()].iter(), request.limit))
        }
        None => (range.end - store.pages.fitting(events[range.clone()].iter().rev(), request.limit), range.end),
    };
    let shown = &events[start..end];
    // At the end of the stream, the token is the one that was given (`GetLogEvents`, CloudWatch Logs API reference).
    let next_forward_token = match (forward, shown.last()) {
        (Some(token), None) => token.to_owned(),
        (_, newest) => {
            let before = start.checked_sub(1).and_then(|before| events.get(before));
            let key = newest.or(before).map_or((i64::MIN, 0), |event| event.key);
            format!("f/{}", token_at(key, now).write(&list('f')))
        }
    };
    let next_backward_token = match (given.filter(|token| token.starts_with("b/")), shown.first()) {
        (Some(token), None) => token.to_owned(),
        (_, first) => {
            let key = first.or_else(|| events.get(end)).map_or((i64::MAX, 0), |event| event.key);
            format!("b/{}", token_at(key, now).write(&list('b')))
        }
    };
    let events = shown.iter().map(OutputLogEvent::from).collect();
    reply(&OutputLogEvents { events, next_forward_token, next_backward_token })
}

fn token_at(key: (i64, u64), issued: Time) -> Token {
    Token { key, issued, after_empty_page: false }
}
