//! Progress of long steps on standard error: on a terminal one line that is updated, otherwise a line per step and
//! one per minute.
//!
//! Without `eprintln!`, because the test harness captures its output until a test has failed.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The name of the test bed in its output.
const PROGRAM: &str = "test bed";
/// How often a terminal may be drawn to in a second.
const UPDATES_PER_SECOND: u8 = 4;
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
    say(PROGRAM, text);
}

/// One line that says how far something came: on a terminal it is updated in place, otherwise it is printed now and then.
#[derive(Debug)]
pub struct Progress {
    program: &'static str,
    bar: ProgressBar,
    heartbeat: Duration,
    printed: Instant,
}

impl Progress {
    /// `heartbeat` is the interval between two lines without a terminal.
    #[must_use]
    pub fn new(program: &'static str, heartbeat: Duration) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(UPDATES_PER_SECOND));
        let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self { program, bar: bar.with_style(style), heartbeat, printed: Instant::now() }
    }

    /// Shows the line if it is time to. Cheap, so that it can be called in a loop.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        let interval = if self.bar.is_hidden() { self.heartbeat } else { TICK };
        if self.printed.elapsed() < interval {
            return;
        }
        self.printed = Instant::now();
        if self.bar.is_hidden() {
            say(self.program, &text());
        } else {
            self.bar.set_message(format!("{}: {}", self.program, text()));
            self.bar.tick();
        }
    }

    /// Removes the line.
    pub fn clear(&mut self) {
        self.bar.finish_and_clear();
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
    progress: Progress,
    started: Instant,
}

impl Step {
    /// `then` names the steps that follow; it is shown during the step.
    pub(crate) fn begin(title: String, then: String) -> Self {
        let progress = Progress::new(PROGRAM, HEARTBEAT);
        if progress.bar.is_hidden() {
            line(&format!("{title} ...{then}"));
        }
        Self { title, then, progress, started: Instant::now() }
    }

    /// Shows the progress. The caller calls it about every [`TICK`].
    pub(crate) fn tick(&mut self, detail: &str) {
        let elapsed = self.started.elapsed();
        self.progress.show(|| format!("{}: {}, {detail}{}", self.title, format_duration(elapsed), self.then));
    }

    /// Ends the step; `outcome` is "built" or "failed".
    pub(crate) fn end(mut self, outcome: &str) {
        self.progress.clear();
        line(&format!("{}: {outcome} after {}", self.title, format_duration(self.started.elapsed())));
    }
}
