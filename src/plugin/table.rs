//! Tables as kubectl prints them: no borders, columns by their width on a terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use jiff::Timestamp;

/// What stands before the lines of a part of a page.
const INDENT: &str = "  ";

/// A table with a head, as kubectl prints it: nothing wraps, so that each row is a line and names can be copied.
pub(super) fn table<R: IntoIterator<Item = String>>(
    head: impl IntoIterator<Item = impl AsRef<str>>,
    rows: impl IntoIterator<Item = R>,
) -> String {
    printed("", Wrap::Nothing, head, rows)
}

/// A table as a part of a page, indented. On a terminal, the last column wraps at its width.
pub(super) fn indented<R: IntoIterator<Item = String>>(
    head: impl IntoIterator<Item = impl AsRef<str>>,
    rows: impl IntoIterator<Item = R>,
) -> String {
    printed(INDENT, Wrap::LastColumn, head, rows)
}

/// Labels with their values, indented. On a terminal, values wrap at its width.
pub(super) fn pairs(pairs: impl IntoIterator<Item = [String; 2]>) -> String {
    printed(INDENT, Wrap::LastColumn, [""; 0], pairs)
}

/// What wraps on a terminal.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrap {
    Nothing,
    /// Where there are enough columns for it.
    LastColumn,
}

/// The fewest columns into which a text wraps.
const NARROWEST: u16 = 24;
/// The blanks between two columns.
const GAP: u16 = 2;

/// Without the margin that the library puts before each line, and without blanks at its end.
fn printed<R: IntoIterator<Item = String>>(
    indent: &str,
    wrap: Wrap,
    head: impl IntoIterator<Item = impl AsRef<str>>,
    rows: impl IntoIterator<Item = R>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let head: Vec<_> = head.into_iter().map(|title| title.as_ref().to_owned()).collect();
    if !head.is_empty() {
        table.set_header(head);
    }
    table.add_rows(rows.into_iter().map(|row| row.into_iter().map(|cell| printable(&cell)).collect::<Vec<_>>()));
    let widths = table.column_max_content_widths();
    if let (Wrap::LastColumn, Some(width), Some((_, others))) = (wrap, table.width(), widths.split_last()) {
        let indent = u16::try_from(indent.len()).unwrap_or_default();
        let taken = others.iter().fold(indent, |taken, width| taken.saturating_add(width.saturating_add(GAP)));
        if width >= taken.saturating_add(NARROWEST) {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width - indent);
            for (column, width) in table.column_iter_mut().zip(others) {
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width.saturating_add(GAP))));
            }
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    let lines: Vec<_> = table.lines().map(|line| format!("{indent}{}", line.trim_end())).collect();
    lines.join("\n")
}

/// A table of which the rows come one by one: a column is as wide as its widest cell so far.
#[derive(Debug, Default)]
pub(super) struct GrowingTable {
    widths: Vec<usize>,
}

impl GrowingTable {
    /// The line of the next row.
    pub(super) fn line(&mut self, row: &[impl AsRef<str>]) -> String {
        let cells: Vec<_> = row.iter().map(|cell| printable(cell.as_ref())).collect();
        self.widths.resize(self.widths.len().max(cells.len()), 0);
        let mut line = String::new();
        for (cell, column) in cells.iter().zip(&mut self.widths) {
            *column = width(cell).max(*column);
            line += &console::pad_str(cell, *column + usize::from(GAP), console::Alignment::Left, None);
        }
        line.trim_end().to_owned()
    }
}

/// The columns of the terminal on standard output, if it is one.
pub(super) fn terminal_width() -> Option<usize> {
    Table::new().width().map(usize::from)
}

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The beginning of a text that takes so many columns at most, with dots where it goes on.
pub(super) fn shortened(text: &str, columns: usize) -> String {
    console::truncate_str(text, columns, "...").into_owned()
}

/// The text without what a terminal would obey: names and messages come from others.
pub(super) fn printable(text: &str) -> String {
    let is_obeyed = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if text.contains(is_obeyed) { text.replace(is_obeyed, "\u{fffd}") } else { text.to_owned() }
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
    fn a_growing_table_keeps_its_columns_under_each_other() {
        let mut table = GrowingTable::default();
        let lines = [["NAME", "STATE"], ["gjr/日本", "Running"], ["a", "\u{1b}[2J"]].map(|row| table.line(&row));
        assert_eq!(lines, ["NAME  STATE", "gjr/日本  Running", "a         \u{fffd}[2J"]);
    }

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

    #[test]
    fn no_text_of_others_controls_the_terminal() {
        let rows = [["a\u{1b}[31mred\u{7}".to_owned()]];
        assert_eq!(table(["NAME"], rows), "NAME\na\u{fffd}[31mred\u{fffd}");
    }
}
