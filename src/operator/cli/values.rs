//! Parsers of flag values. Each error says what was expected.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

use crate::api;

/// A duration of more than zero, such as 200ms.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let expected = "expected a duration of more than zero with a unit, like 200ms, 5s or 2m";
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| expected.to_owned())
}

/// The name of a namespace: an RFC 1123 label.
pub(super) fn namespace(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label = text.len() <= 63 && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-');
    if is_label {
        Ok(text.to_owned())
    } else {
        Err("expected names of namespaces, separated by commas without spaces".to_owned())
    }
}

/// The name of a custom resource's kind, or nothing.
pub(super) fn kind(text: &str) -> Result<String, String> {
    let kinds: Vec<_> = api::crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    if text.is_empty() || kinds.iter().any(|kind| kind == text) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected kinds separated by commas without spaces: {}", kinds.join(", ")))
    }
}

/// The name of a job argument with its leading `--`, or nothing.
pub(super) fn job_argument(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("--").unwrap_or_default();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if text.is_empty() || is_name {
        Ok(text.to_owned())
    } else {
        Err("expected the name of a job argument, like --kube-glue-run, or an empty value".to_owned())
    }
}

/// An entry of a list. clap parses an empty list as one empty entry, which becomes `None`.
pub(super) fn list_entry<T: FromStr<Err = &'static str>>(text: &str) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(str::to_owned) }
}
