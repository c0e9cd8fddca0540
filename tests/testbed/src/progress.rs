//! Progress of long steps on standard error: on a terminal one line that is updated, otherwise a line per step and
//! one per minute.
//!
//! Without `eprintln!`, because the test harness captures its output until a test has failed.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// The interval between two updates of the line on a terminal.
pub(crate) const TICK: Duration = Duration::from_millis(500);
/// The interval between two lines of a long step without a terminal.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// Prints a line of `program`.
pub fn say(program: &str, text: &str) {
    // A failure to print progress is ignored.
    let _ = writeln!(std::io::stderr(), "{program}: {text}");
}

/// Prints a line of the test bed.
pub(crate) fn line(text: &str) {
    say("test bed", text);
}

/// One line that says how far something came: on a terminal it is updated in place, otherwise it is printed now and then.
#[derive(Debug)]
pub struct Progress {
    program: &'static str,
    terminal: bool,
    heartbeat: Duration,
    shown: Instant,
}

impl Progress {
    /// `heartbeat` is the interval between two lines without a terminal.
    #[must_use]
    pub fn new(program: &'static str, heartbeat: Duration) -> Self {
        Self { program, terminal: std::io::stderr().is_terminal(), heartbeat, shown: Instant::now() }
    }

    /// Shows the line if it is time to. Cheap, so that it can be called in a loop.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        if self.shown.elapsed() < if self.terminal { TICK } else { self.heartbeat } {
            return;
        }
        self.shown = Instant::now();
        let (before, after) = if self.terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
        let _ = write!(std::io::stderr(), "{before}{}: {}{after}", self.program, text());
        let _ = std::io::stderr().flush();
    }

    /// Ends the line.
    pub fn clear(&mut self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

/// A duration for people: `7s`, `3m 20s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds => format!("{}m {:02}s", seconds / 60, seconds % 60),
    }
}

/// A long step.
pub(crate) struct Step {
    title: String,
    then: String,
    terminal: bool,
    started: Instant,
    printed: Instant,
}

impl Step {
    /// `then` names the steps that follow; it is shown during the step.
    pub(crate) fn begin(title: String, then: String) -> Self {
        let terminal = std::io::stderr().is_terminal();
        if !terminal {
            line(&format!("{title} ...{then}"));
        }
        let now = Instant::now();
        Self { title, then, terminal, started: now, printed: now }
    }

    /// Shows the progress. The caller calls it about every [`TICK`].
    pub(crate) fn tick(&mut self, detail: &str) {
        let text = format!("{}: {}, {detail}{}", self.title, format_duration(self.started.elapsed()), self.then);
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2Ktest bed: {text}");
            let _ = std::io::stderr().flush();
        } else if self.printed.elapsed() >= HEARTBEAT {
            self.printed = Instant::now();
            line(&text);
        }
    }

    /// Ends the step; `outcome` is "built" or "failed".
    pub(crate) fn end(self, outcome: &str) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
        line(&format!("{}: {outcome} after {}", self.title, format_duration(self.started.elapsed())));
    }
}
