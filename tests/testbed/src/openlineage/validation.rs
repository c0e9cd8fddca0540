//! What `OpenLineage.json` 2-0-2 requires of a RunEvent, and of each facet in it.

use hyper::Uri;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

const TYPES: [&str; 6] = ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"];

/// Why the event is invalid.
pub(super) fn check(event: &Value) -> Result<(), String> {
    text(&event["eventTime"], "eventTime")?.parse::<Timestamp>().map_err(|error| error.to_string())?;
    let type_ = text(&event["eventType"], "eventType")?;
    if !TYPES.contains(&type_) {
        return Err(format!("eventType {type_}"));
    }
    uri(&event["producer"], "producer")?;
    uri(&event["schemaURL"], "schemaURL")?;
    Uuid::parse_str(text(&event["run"]["runId"], "runId")?).map_err(|error| error.to_string())?;
    let named = ["inputs", "outputs"].iter().flat_map(|list| event[*list].as_array().into_iter().flatten());
    let named: Vec<&Value> = named.chain([&event["job"]]).collect();
    for named in &named {
        text(&named["namespace"], "namespace")?;
        text(&named["name"], "name")?;
    }
    let owners = named.into_iter().chain([&event["run"]]);
    for (name, facet) in owners.flat_map(|owner| owner["facets"].as_object().into_iter().flatten()) {
        uri(&facet["_producer"], &format!("_producer of {name}"))?;
        uri(&facet["_schemaURL"], &format!("_schemaURL of {name}"))?;
    }
    Ok(())
}

fn text<'v>(value: &'v Value, what: &str) -> Result<&'v str, String> {
    value.as_str().filter(|text| !text.is_empty()).ok_or_else(|| format!("no {what}"))
}

fn uri(value: &Value, what: &str) -> Result<(), String> {
    let uri = text(value, what)?;
    let has_scheme = uri.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some());
    if has_scheme { Ok(()) } else { Err(format!("{what} {uri}")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn what_the_specification_refuses_is_refused() {
        let good = json!({
            "eventType": "START", "eventTime": "2026-11-27T12:00:00Z", "producer": "https://p", "schemaURL": "https://s",
            "run": {"runId": "5b3dd7d6-9b0f-4f2a-8b0a-111111111111"}, "job": {"namespace": "n", "name": "j"},
            "inputs": [{"namespace": "s3://b", "name": "k", "facets": {"f": {"_producer": "https://p", "_schemaURL": "https://s"}}}],
        });
        assert_eq!(check(&good), Ok(()));
        for (pointer, wrong) in [
            ("/eventType", "BEGIN"),
            ("/eventTime", "yesterday"),
            ("/producer", "nobody"),
            ("/schemaURL", ""),
            ("/run/runId", "jr_1"),
            ("/job/name", ""),
            ("/inputs/0/namespace", ""),
            ("/inputs/0/facets/f/_schemaURL", "none"),
        ] {
            let mut event = good.clone();
            *event.pointer_mut(pointer).expect(pointer) = json!(wrong);
            assert!(check(&event).is_err(), "{pointer}");
        }
    }
}
