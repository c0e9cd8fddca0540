//! The end of a log, as a status shows it. Pure.
//!
//! What Spark itself logs at its end says nothing of the script: where a log has other lines, those lines are left out.

/// The most lines.
pub const MAX_LINES: usize = 20;
/// The most bytes.
pub const MAX_BYTES: usize = 4 * 1024;
/// The most bytes that are looked at: what a redactor reads.
const MAX_TEXT: usize = 8 * 1024;
/// What stands in place of what is cut off.
const CUT: char = '…';

/// The levels of log4j at which Spark speaks of itself.
const LEVELS: [&str; 3] = ["INFO", "DEBUG", "TRACE"];

/// The last lines of a log, oldest first, as they may be redacted: whole lines, so that no value loses its beginning. A
/// single line that is longer keeps its beginning.
#[must_use]
pub fn end_of_log<'a>(messages: impl DoubleEndedIterator<Item = &'a str>) -> String {
    let lines: Vec<&str> = messages.flat_map(str::lines).map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let of_script: Vec<&str> = lines.iter().copied().filter(|line| !is_of_spark(line)).collect();
    let lines = if of_script.is_empty() { lines } else { of_script };
    let mut bytes = 0;
    let fits = |line: &&&str| {
        bytes += line.len() + 1;
        bytes <= MAX_TEXT
    };
    let mut shown: Vec<&str> = lines.iter().rev().take_while(fits).copied().collect();
    shown.reverse();
    match (shown.is_empty(), lines.last()) {
        (true, Some(line)) => line[..line.floor_char_boundary(MAX_TEXT)].to_owned(),
        _ => shown.join("\n"),
    }
}

/// What a status shows of a text, which is redacted already: its last lines, within the bounds.
#[must_use]
pub fn bounded(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    last_bytes(&lines[lines.len().saturating_sub(MAX_LINES)..].join("\n"), MAX_BYTES)
}

/// The last `most` bytes of a text; a mark says that it was cut.
#[must_use]
pub fn last_bytes(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let start = text.ceil_char_boundary(text.len() - most.saturating_sub(CUT.len_utf8()));
    format!("{CUT}{}", &text[start..])
}

/// Whether Spark wrote the line, by its pattern: `24/01/31 12:00:00 INFO Class: ...`, or with a date of ISO 8601.
fn is_of_spark(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let starts_with_date = words.next().is_some_and(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    starts_with_date && words.take(2).any(|word| LEVELS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spark_says_of_itself_is_left_out_where_the_script_says_something() {
        let spark =
            ["24/01/31 12:00:00 INFO ShutdownHookManager: deleting", "2024-01-31 12:00:00,123 INFO [main] x: y"];
        let log =
            [spark[0], "Traceback (most recent call last):\n  File \"etl.py\", line 3\n", spark[1], "KeyError: 'a'\n"];
        let script = "Traceback (most recent call last):\n  File \"etl.py\", line 3\nKeyError: 'a'";
        assert_eq!(end_of_log(log.into_iter()), script);
        assert_eq!(end_of_log(spark.into_iter()), spark.join("\n"));
        assert_eq!(end_of_log(["24/01/31 12:00:00 ERROR x: y"].into_iter()), "24/01/31 12:00:00 ERROR x: y");
        assert_eq!(end_of_log(std::iter::empty()), "");
    }

    #[test]
    fn an_excerpt_is_bounded_and_has_the_last_lines() {
        let lines: Vec<String> = (0..100).map(|number| format!("line {number} {}", "ä".repeat(10))).collect();
        let shown = bounded(&end_of_log(lines.iter().map(String::as_str)));
        assert_eq!(shown.lines().count(), MAX_LINES);
        assert!(shown.starts_with("line 80 ") && shown.contains("line 99 "), "{shown}");
        let long: Vec<String> = (0..20).map(|number| format!("{number} {}", "失".repeat(200))).collect();
        let shown = bounded(&end_of_log(long.iter().map(String::as_str)));
        assert!(shown.len() <= MAX_BYTES && shown.starts_with(CUT) && shown.contains("\n19 "), "{shown}");
        let one = "é".repeat(10_000);
        let kept = end_of_log([one.as_str()].into_iter());
        assert!(kept.len() <= MAX_TEXT && one.starts_with(&kept), "a long line keeps its beginning");
        assert!(bounded(&kept).len() <= MAX_BYTES);
    }

    #[test]
    fn no_line_loses_its_beginning_before_it_is_redacted() {
        let lines: Vec<String> = (0..50).map(|number| format!("{number:03} {}", "x".repeat(500))).collect();
        let kept = end_of_log(lines.iter().map(String::as_str));
        assert!(kept.len() <= MAX_TEXT);
        assert!(kept.lines().all(|line| lines.iter().any(|whole| whole == line)), "{kept}");
    }
}
