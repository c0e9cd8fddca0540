//! Text for people in a status: messages cut to a length, durations as kubectl shows them.

use jiff::Timestamp;

/// The most characters of a message.
const MAX_CHARACTERS: usize = 1024;

/// The text, cut to 1,024 characters; the last one is then `…`.
#[must_use]
pub fn truncated(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS - 1) {
        None => text.to_owned(),
        Some((end, _)) if end + 4 > text.len() && text.chars().count() <= MAX_CHARACTERS => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The time between two moments, such as `1m12s`; none is negative.
#[must_use]
pub fn duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, _) => format!("{hours}h{minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_at_a_character() {
        assert_eq!(truncated("short"), "short");
        let cut = truncated(&"é".repeat(5000));
        assert_eq!(cut.chars().count(), MAX_CHARACTERS);
        assert!(cut.ends_with('…'));
        assert_eq!(truncated(&"x".repeat(MAX_CHARACTERS)), "x".repeat(MAX_CHARACTERS));
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for (from, to, expected) in [(0, 59, "59s"), (0, 72, "1m12s"), (0, 7384, "2h3m"), (0, 0, "0s"), (60, 0, "0s")] {
            assert_eq!(duration(at(from), at(to)), expected);
        }
    }
}
