//! What a person sees while something long goes on: on a terminal a line that lives, elsewhere a line per
//! step and one a minute.
//!
//! Written to standard error itself and not with `eprintln!`, which the test harness keeps back until a
//! test has failed.

use std::{
    io::{IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// How often a live line is drawn anew.
pub(crate) const TICK: Duration = Duration::from_millis(500);
/// How often a long step says that it goes on where there is no terminal.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// One line that stays.
pub(crate) fn line(text: &str) {
    // Progress that cannot be shown changes nothing.
    let _ = writeln!(std::io::stderr(), "test bed: {text}");
}

/// A duration as a person reads it: `7s`, `3m 20s`.
#[must_use]
pub fn human(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds => format!("{}m {:02}s", seconds / 60, seconds % 60),
    }
}

/// One long step.
pub(crate) struct Step {
    title: String,
    then: String,
    terminal: bool,
    started: Instant,
    spoke: Instant,
}

impl Step {
    /// `then` says what comes after it, shown while it goes on.
    pub(crate) fn begin(title: String, then: String) -> Self {
        let terminal = std::io::stderr().is_terminal();
        if !terminal {
            line(&format!("{title} ...{then}"));
        }
        let now = Instant::now();
        Self { title, then, terminal, started: now, spoke: now }
    }

    /// How far it is by now; to be called about every [`TICK`].
    pub(crate) fn tick(&mut self, detail: &str) {
        let text = format!("{}: {}, {detail}{}", self.title, human(self.started.elapsed()), self.then);
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2Ktest bed: {text}");
            let _ = std::io::stderr().flush();
        } else if self.spoke.elapsed() >= HEARTBEAT {
            self.spoke = Instant::now();
            line(&text);
        }
    }

    /// The step is over; `outcome` reads on after its title: "built", "failed".
    pub(crate) fn end(self, outcome: &str) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
        line(&format!("{}: {outcome} after {}", self.title, human(self.started.elapsed())));
    }
}
