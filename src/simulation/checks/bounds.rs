//! The bounds of the checks, and what they follow from.

use crate::simulation::facts::DELETION_TIMEOUT;
use crate::simulation::scenario::{FAULTS_UNTIL, STUCK_UNTIL, Scenario};
use crate::simulation::time::{MINUTE, Ms, SECOND, millis};

/// How long a ready object may wait beside a free place until a start is tried: the longest pause between two tries of
/// the first object, with its jitter, and twice the time that a write and a call take at their slowest.
pub const TRIED_AFTER: Ms = 45 * SECOND;
/// The same where writes and calls are lost: the pause after one grows to two minutes.
pub const TRIED_AFTER_LOSSES: Ms = 180 * SECOND;
/// How long an obstacle that is gone may still have an effect: the longest pause, and the time to notice.
pub const OBSTACLE_LINGERS: Ms = 180 * SECOND;
/// By when the controller has noticed a change: the longest delay of a watch.
pub const NOTICED_AFTER: Ms = 10 * SECOND;
/// How many starts of others may pass a tenant that waits for a place of the same job.
pub const PASSED_BY: u64 = 40;
/// How long a deleted object may exist after the deletion timeout: the longest pause between two passes over it, and
/// the writes.
pub const DELETED_WITHIN: Ms = 60 * SECOND;
/// How old an adoption must be for a stop by another object to count: the two may have been on their way together.
pub const ADOPTED_LONG_AGO: Ms = 30 * SECOND;
/// Polls in a row that may cost more than they need: those that find out where the runs are.
pub const DEAR_POLLS: u32 = 3;

/// How long after its end a run is seen to have ended, and how long it may be hidden after an obstacle to its polls is
/// gone, such as after the last of some polls in a row that were lost: a run whose polls failed is polled a minute later,
/// when its group polls next; that pause is a minute at most where the account allows more, with its jitter. The rest is
/// for the tokens, the calls and the writes.
pub const SEEN_AFTER: Ms = 180 * SECOND;
/// How long nothing may be written after everybody has settled.
pub const QUIET: Ms = 30 * MINUTE;

/// A deleted object is gone so long after its deletion.
pub fn gone_within() -> Ms {
    millis(DELETION_TIMEOUT) + DELETED_WITHIN
}

/// By when everybody has settled. Users and faults stop; the stuck runs end; then each job works through its objects,
/// with all their retries, as many at a time as it has places.
pub fn settles_by(scenario: &Scenario) -> Ms {
    let load = scenario.load();
    let work = scenario.jobs.iter().map(|job| {
        let objects = load.get(job.name.as_str()).copied().unwrap_or_default();
        // Three retries, each after a minute at the most.
        let rounds = (objects * 4).div_ceil(job.places) as u64;
        rounds * (job.course.lasts.1 + 8 * SECOND + job.frees_late + TRIED_AFTER) + 4 * MINUTE
    });
    let longest = work.max().unwrap_or_default();
    FAULTS_UNTIL.max(STUCK_UNTIL) + 10 * MINUTE + longest
}

/// How long an object whose lookups failed so many times in a row waits before the next one at least: a second, twice as
/// long after each failure up to two minutes, with the jitter of a fifth.
pub fn looks_again_after(failures: u32) -> Ms {
    (SECOND << (failures - 1).min(16)).min(2 * MINUTE) * 4 / 5
}

/// The tries that an obstacle of this length may cost, for one client and target: one a second at first, then one for
/// each half a minute, and those that were on their way when it began. The pauses begin anew so many times, with each
/// restart, and with each try that was throttled, since the object waits for nothing else then: a minute has six of them
/// at first, and one at last.
pub fn tries(length: Ms, anew: u64) -> u64 {
    16 + length / (15 * SECOND) + 5 * anew
}
