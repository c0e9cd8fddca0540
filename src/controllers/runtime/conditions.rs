//! Conditions as Kubernetes keeps them: one of each type, and a transition time that moves only when the status flips.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::reason::Reason;

/// The most characters of a condition's message.
const MAX_MESSAGE: usize = 1024;

/// The condition of `type_`. It keeps the transition time of the one in `before` while its status stays the same.
#[must_use]
pub fn condition(
    type_: &str,
    status: bool,
    reason: Reason,
    message: &str,
    before: &[Condition],
    now: Timestamp,
) -> Condition {
    let status = if status { "True" } else { "False" };
    let unchanged = before.iter().find(|condition| condition.type_ == type_ && condition.status == status);
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message: bounded(message),
        last_transition_time: unchanged.map_or(Time(now), |unchanged| unchanged.last_transition_time.clone()),
        observed_generation: None,
    }
}

/// The reason of a condition; `None` for one of another version.
#[must_use]
pub fn reason_of(condition: &Condition) -> Option<Reason> {
    Reason::parse(&condition.reason)
}

/// The text, cut to 1,024 characters.
#[must_use]
pub fn bounded(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE - 1) {
        None => text.to_owned(),
        Some((end, _)) if end + 4 > text.len() && text.chars().count() <= MAX_MESSAGE => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_at_a_character() {
        assert_eq!(bounded("short"), "short");
        let cut = bounded(&"é".repeat(5000));
        assert_eq!(cut.chars().count(), MAX_MESSAGE);
        assert!(cut.ends_with('…'));
        assert_eq!(bounded(&"x".repeat(MAX_MESSAGE)), "x".repeat(MAX_MESSAGE));
    }
}
