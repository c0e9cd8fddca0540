//! Tables as kubectl prints them: no borders, columns by their width on a terminal.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

/// What stands before the lines of a part of a page.
const INDENT: &str = "  ";

/// A table with a head. On a terminal, long texts wrap at its width.
pub(super) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    printed("", Some(head), rows)
}

/// The same, indented.
pub(super) fn indented<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    printed(INDENT, Some(head), rows)
}

/// Labels with their values, indented.
pub(super) fn pairs(pairs: impl IntoIterator<Item = [String; 2]>) -> String {
    printed(INDENT, None, pairs)
}

/// Without the margin that the library puts before each line, and without blanks at its end.
fn printed<const N: usize>(
    indent: &str,
    head: Option<[&str; N]>,
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(head) = head {
        table.set_header(head);
    }
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<_> = table.lines().map(|line| format!("{indent}{}", line.trim_end())).collect();
    lines.join("\n")
}

/// How long ago something was, as kubectl shows ages: its two largest units at most.
pub(super) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if seconds % 60 != 0 => format!("{minutes}m{}s", seconds % 60),
        120..7200 => format!("{minutes}m"),
        7200..28800 if minutes % 60 != 0 => format!("{hours}h{}m", minutes % 60),
        7200..172_800 => format!("{hours}h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_as_kubectl_shows_them() {
        let now: Timestamp = "2026-01-10T00:00:00Z".parse().unwrap();
        for (seconds, expected) in [
            (-5, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (150, "2m30s"),
            (3600, "60m"),
            (7260, "2h1m"),
            (172_800, "2d"),
        ] {
            assert_eq!(age(now - jiff::SignedDuration::from_secs(seconds), now), expected, "{seconds}");
        }
    }

    #[test]
    fn columns_align_by_width_and_lines_have_no_blanks_at_their_end() {
        let rows = [["日本".to_owned(), "x".to_owned()], ["a".to_owned(), String::new()]];
        assert_eq!(table(["NAME", "B"], rows), "NAME  B\n日本  x\na");
    }
}
