//! One request: the way to the API server and back.

use std::{fmt, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    http::{HeaderMap, header},
};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use super::tap::{Fate, Tap, Verdict, WatchEvent, Write};

/// How often a tap can send an event by itself.
const TURN: Duration = Duration::from_millis(50);
/// The API group whose objects are disturbed.
const GROUP: &str = "/apis/kube-glue.dev/";
/// The annotation of the bookmark that ends the list at the beginning of a watch.
const LIST_ENDS: &str = "k8s.io/initial-events-end";

/// The client gets no answer: its connection is closed.
#[derive(Debug)]
pub(super) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused by the relay")
    }
}

impl std::error::Error for Refused {}

type Answer = Response<UnsyncBoxBody<Bytes, Refused>>;

/// Answers one request for `path`, which is without the client's name.
pub(super) async fn answer(
    client: &Client,
    tap: Arc<dyn Tap>,
    request: Request<Incoming>,
    path: &str,
) -> Result<Answer, Refused> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Refused)?.to_bytes();
    let method = head.method.as_str().to_owned();
    let target = Target::of(&method, path, head.uri.query().unwrap_or_default());
    if !tap.is_alive() {
        return Err(Refused);
    }
    let write = target.write();
    let verdict = write.as_ref().map_or(Verdict::Send, |write| tap.on_write(write));
    if verdict == Verdict::Drop {
        return Err(Refused);
    }
    let uri = head.uri.query().map_or(path.to_owned(), |query| format!("{path}?{query}"));
    let mut sent = Request::builder().method(head.method).uri(uri);
    for name in [header::ACCEPT, header::CONTENT_TYPE, header::USER_AGENT] {
        if let Some(value) = head.headers.get(&name) {
            sent = sent.header(name, value);
        }
    }
    let sent = sent.body(Body::from(body.to_vec())).map_err(|_| Refused)?;
    let (head, body) = client.send(sent).await.map_err(|_| Refused)?.into_parts();
    let copied = |headers: &HeaderMap| headers.get(header::CONTENT_TYPE).cloned();
    let mut answered = Response::builder().status(head.status);
    if let Some(kind) = copied(&head.headers) {
        answered = answered.header(header::CONTENT_TYPE, kind);
    }
    if target.watches && target.plural.is_empty() {
        let passed = lines(body).map(|line| Ok(Frame::data(Bytes::from(line))));
        return answered.body(StreamBody::new(passed).boxed_unsync()).map_err(|_| Refused);
    }
    if target.watches && head.status.is_success() {
        let lines = watched(body, tap, target.plural, target.lists);
        let frames = lines.map(|line| line.map(Frame::data));
        return answered.body(StreamBody::new(frames).boxed_unsync()).map_err(|_| Refused);
    }
    let whole = body.collect().await.map_err(|_| Refused)?.to_bytes();
    if let Some(write) = &write {
        tap.on_written(write, verdict, head.status.as_u16());
    }
    if verdict == Verdict::LoseAnswer || !tap.is_alive() {
        return Err(Refused);
    }
    answered.body(Full::new(whole).map_err(|never| match never {}).boxed_unsync()).map_err(|_| Refused)
}

/// What a request is about.
struct Target<'a> {
    method: &'a str,
    plural: &'a str,
    subresource: &'a str,
    /// Whether it is a watch, of objects of any group.
    watches: bool,
    /// Whether the watch begins with a list.
    lists: bool,
}

impl<'a> Target<'a> {
    /// `/apis/<group>/<version>[/namespaces/<namespace>]/<plural>[/<name>[/<subresource>]]`.
    fn of(method: &'a str, path: &'a str, query: &str) -> Self {
        let mut parts = path.strip_prefix(GROUP).unwrap_or_default().split('/').skip(1).peekable();
        if parts.next_if_eq(&"namespaces").is_some() {
            parts.next();
        }
        let (plural, _name) = (parts.next().unwrap_or_default(), parts.next());
        let subresource = parts.next().unwrap_or_default();
        let has = |pair: &str| query.split('&').any(|one| one == pair);
        let watches = method == "GET" && (has("watch=true") || has("watch=1"));
        Self { method, plural, subresource, watches, lists: has("sendInitialEvents=true") }
    }

    fn write(&self) -> Option<Write> {
        let is_one = !self.plural.is_empty() && self.method != "GET";
        is_one.then(|| Write {
            method: self.method.to_owned(),
            plural: self.plural.to_owned(),
            subresource: self.subresource.to_owned(),
        })
    }
}

/// What goes on in a watch.
enum Incident {
    Line(Vec<u8>),
    Turn,
    End,
}

/// The lines of a watch, as the tap lets them pass. An error closes the connection.
fn watched(
    body: Body,
    tap: Arc<dyn Tap>,
    plural: &str,
    lists: bool,
) -> impl Stream<Item = Result<Bytes, Refused>> + Send + use<> {
    let plural = plural.to_owned();
    if lists {
        tap.on_list(&plural);
    }
    let mut timer = interval(TURN);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let turns = stream::unfold(timer, async |mut timer| {
        timer.tick().await;
        Some((Incident::Turn, timer))
    });
    let lines = lines(body).map(Incident::Line).chain(stream::iter([Incident::End]));
    let mut in_list = lists;
    let passed = stream::select(lines, turns).map(move |incident| {
        if !tap.is_alive() {
            return Err(Refused);
        }
        let fate = match incident {
            // As the API server ends a watch. What the tap holds back is in the next one.
            Incident::End => return Err(Refused),
            Incident::Turn => tap.turn(&plural),
            Incident::Line(line) => {
                let parsed: Value = serde_json::from_slice(&line).unwrap_or_default();
                match parsed["type"].as_str() {
                    Some(kind @ ("ADDED" | "MODIFIED" | "DELETED")) => {
                        let event = WatchEvent {
                            plural: plural.clone(),
                            kind: kind.to_owned(),
                            object: parsed["object"].clone(),
                        };
                        tap.on_event(event, in_list)
                    }
                    kind => {
                        let ends_list = kind == Some("BOOKMARK")
                            && parsed["object"]["metadata"]["annotations"][LIST_ENDS] == "true";
                        let before = if ends_list { tap.on_listed(&plural) } else { Vec::new() };
                        in_list &= !ends_list;
                        let mut bytes = text(&before);
                        bytes.extend(line);
                        return Ok(Bytes::from(bytes));
                    }
                }
            }
        };
        match fate {
            Fate::Deliver(events) => Ok(Bytes::from(text(&events))),
            Fate::Close => Err(Refused),
        }
    });
    passed.filter(|bytes| std::future::ready(!bytes.as_ref().is_ok_and(Bytes::is_empty)))
}

fn text(events: &[WatchEvent]) -> Vec<u8> {
    let line = |event: &WatchEvent| format!("{}\n", json!({ "type": event.kind, "object": event.object }));
    events.iter().flat_map(|event| line(event).into_bytes()).collect()
}

/// The lines of a body, each with its end.
fn lines(body: Body) -> impl Stream<Item = Vec<u8>> + Send {
    let begin = (body.into_data_stream().boxed(), Vec::<u8>::new());
    stream::unfold(begin, async |(mut chunks, mut read)| {
        loop {
            if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
                let rest = read.split_off(end + 1);
                return Some((read, (chunks, rest)));
            }
            match chunks.next().await {
                Some(Ok(chunk)) => read.extend_from_slice(&chunk),
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_apart() {
        let path = "/apis/kube-glue.dev/v1alpha1/namespaces/a/gluejobruns/one/status";
        let write = Target::of("PATCH", path, "fieldManager=kube-glue").write().unwrap();
        assert_eq!((write.plural.as_str(), write.subresource.as_str()), ("gluejobruns", "status"));
        let all = Target::of("GET", "/apis/kube-glue.dev/v1alpha1/gluetriggers", "watch=true&sendInitialEvents=true");
        assert!(all.watches && all.lists && all.write().is_none());
        for (method, path) in [("PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b"), ("GET", "/readyz")] {
            let other = Target::of(method, path, "watch=true");
            assert!(other.plural.is_empty() && other.write().is_none());
        }
    }

    #[tokio::test]
    async fn lines_are_cut_where_they_end() {
        let read: Vec<_> = lines(Body::from(b"one\ntwo\nunfinished".to_vec())).collect().await;
        assert_eq!(read, [b"one\n".to_vec(), b"two\n".to_vec()]);
    }
}
