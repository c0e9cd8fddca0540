//! What happened in a world, event by event.

use std::fmt::Write as _;

use super::Name;
use super::time::{Ms, clock};

/// The most lines of a story that are printed.
const LINES: usize = 90;

/// The lines of a story. One that is not kept costs nothing: the world is run again when it is wanted.
#[derive(Debug, Default)]
pub struct Story {
    is_kept: bool,
    lines: Vec<(Ms, Option<Name>, String)>,
}

impl Story {
    /// A story that is kept.
    pub fn kept() -> Self {
        Self { is_kept: true, lines: Vec::new() }
    }

    pub fn log(&mut self, now: Ms, about: Option<&Name>, text: impl FnOnce() -> String) {
        if self.is_kept {
            self.lines.push((now, about.cloned(), text()));
        }
    }

    /// The lines about these objects, and about all.
    pub fn about(&self, names: &[Name]) -> String {
        let concerns = |about: &Option<Name>| about.as_ref().is_none_or(|name| names.contains(name));
        let lines: Vec<_> = self.lines.iter().filter(|(_, about, _)| concerns(about)).collect();
        let left_out = lines.len().saturating_sub(LINES);
        let mut story = String::new();
        if left_out > 0 {
            let _ = writeln!(story, "  ... {left_out} earlier lines");
        }
        for (at, about, text) in &lines[left_out..] {
            let name = about.as_ref().map_or("-", |(_, name)| name);
            let _ = writeln!(story, "  {}  {name:<10} {text}", clock(*at));
        }
        story
    }
}
