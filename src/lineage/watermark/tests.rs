use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::lineage::progress::End;
use crate::lineage::run::JobKind;

/// A run of a job, by the minutes at which it was started and ended.
fn seen(job: &str, id: &str, started: i64, ended: Option<i64>) -> RunSight {
    let stage = if ended.is_some() { Stage::Ended(End::Complete) } else { Stage::Running };
    let mut run = RunSight::new(Target::new(JobKind::Job, job), id, "", stage);
    run.started = Some(minute(started));
    run.ended = ended.map(minute);
    run
}

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + minute * 60).unwrap()
}

/// The ids with their events.
fn asked(advance: &Advance) -> Vec<(&str, &[EventType])> {
    advance.events.iter().map(|(run, events)| (run.id.as_str(), events.as_slice())).collect()
}

const STARTS: &[EventType] = &[EventType::Start];
const ENDS: &[EventType] = &[EventType::Complete];
const STARTS_AND_ENDS: &[EventType] = &[EventType::Start, EventType::Complete];

#[test]
fn the_first_picture_asks_for_the_newest_run_of_each_target_and_for_those_that_go_on() {
    let mut reported = Reported::new(None);
    let picture = vec![
        seen("a", "a3", 30, Some(40)),
        seen("a", "a2", 20, None),
        seen("a", "a1", 10, Some(15)),
        seen("b", "b1", 1, Some(2)),
    ];
    let first = reported.advance(picture.clone(), Some(minute(100)));
    assert_eq!(asked(&first), [("a3", STARTS_AND_ENDS), ("a2", STARTS), ("b1", STARTS_AND_ENDS)]);
    assert!(first.is_to_write);
    assert_eq!(reported.until(), Some(minute(99)));
    let again = reported.advance(picture, Some(minute(115)));
    assert_eq!(again, Advance::default(), "the same picture asks for nothing");
}

#[test]
fn a_run_has_one_start_and_one_end_and_only_an_end_is_to_be_written() {
    let mut reported = Reported::new(Some(minute(50)));
    let running = reported.advance(vec![seen("a", "a1", 55, None)], Some(minute(60)));
    assert_eq!((asked(&running), running.is_to_write), (vec![("a1", STARTS)], false));
    let ended = reported.advance(vec![seen("a", "a1", 55, Some(61))], Some(minute(75)));
    assert_eq!((asked(&ended), ended.is_to_write), (vec![("a1", ENDS)], true));
    let after = reported.advance(vec![seen("a", "a1", 55, Some(61))], Some(minute(90)));
    assert_eq!(after, Advance::default());
}

#[test]
fn after_a_restart_only_what_ended_after_the_written_time_is_asked_for() {
    let mut reported = Reported::new(Some(minute(50)));
    let picture = vec![seen("a", "a3", 52, Some(55)), seen("a", "a2", 45, Some(51)), seen("a", "a1", 30, Some(49))];
    let advance = reported.advance(picture, Some(minute(60)));
    assert_eq!(asked(&advance), [("a3", STARTS_AND_ENDS), ("a2", STARTS_AND_ENDS)]);
}

/// The read of 60 to 65 shows `b` late and `a` early: the end of `a` at 61 is older than that of `b` at 64.
#[test]
fn an_end_that_a_long_read_missed_is_asked_for_by_the_next_one_also_after_a_restart() {
    let mut reported = Reported::new(Some(minute(50)));
    let read = reported.advance(vec![seen("a", "a1", 55, None), seen("b", "b1", 55, Some(64))], Some(minute(60)));
    assert_eq!(asked(&read), [("a1", STARTS), ("b1", STARTS_AND_ENDS)]);
    assert!(!read.is_to_write, "the time of this read does not cover the end at 64");
    let mut restarted = Reported::new(reported.until());
    let next = vec![seen("a", "a1", 55, Some(61)), seen("b", "b1", 55, Some(64))];
    assert_eq!(asked(&reported.clone().advance(next.clone(), Some(minute(75)))), [("a1", ENDS)]);
    assert!(asked(&restarted.advance(next.clone(), Some(minute(75)))).contains(&("a1", STARTS_AND_ENDS)));
    assert!(reported.advance(next, Some(minute(75))).is_to_write, "now both are covered");
}

#[test]
fn a_part_that_glue_refused_loses_no_end_and_repeats_none() {
    let mut reported = Reported::new(Some(minute(50)));
    let both = vec![seen("a", "a1", 51, Some(52)), seen("b", "b1", 51, None)];
    assert_eq!(reported.advance(both, Some(minute(60))).events.len(), 2);
    // The runs of `b` are refused, and its run ends at 61.
    let partial = reported.advance(vec![seen("a", "a1", 51, Some(52))], None);
    assert_eq!((partial, reported.until()), (Advance::default(), Some(minute(59))));
    let both = vec![seen("a", "a1", 51, Some(52)), seen("b", "b1", 51, Some(61))];
    assert_eq!(asked(&reported.advance(both, Some(minute(90)))), [("b1", ENDS)]);
}

#[test]
fn what_is_remembered_is_bounded_by_the_pictures() {
    let mut reported = Reported::new(Some(minute(0)));
    for read in 1..200 {
        let id = format!("a{read}");
        let read_began = (read % 2 == 0).then(|| minute(read));
        reported.advance(vec![seen("a", &id, read, Some(read))], read_began);
        assert_eq!(reported.runs.len(), 1, "only the runs of the last picture of a target");
    }
    let many = (0..MAX_UNREAD + 5).map(|n| seen(&n.to_string(), &n.to_string(), 1, None)).collect();
    reported.advance(many, None);
    reported.advance(vec![seen("a", "a", 1, None)], None);
    assert_eq!(reported.runs.len(), MAX_UNREAD + 1);
}

/// A run in the simulated account: its job, the minute of its start, and how many minutes it takes.
type Simulated = (u8, i64, i64);

/// A read: minutes since the one before, whether the process was restarted before it, and the job that was refused.
type SimulatedRead = (i64, bool, Option<u8>);

const JOBS: u8 = 3;

fn account() -> impl Strategy<Value = (Vec<Simulated>, Vec<SimulatedRead>)> {
    let runs = prop::collection::vec((0..JOBS, 0..200_i64, 0..60_i64), 0..20);
    let reads = prop::collection::vec((6..40_i64, any::<bool>(), prop::option::weighted(0.2, 0..JOBS)), 1..10);
    (runs, reads)
}

/// What a read that began at `began` shows of a job. The jobs are read one after the other, two minutes apart.
fn shown(runs: &[Simulated], job: u8, began: i64) -> Vec<RunSight> {
    let at = began + i64::from(job) * 2;
    let of_job = runs.iter().enumerate().filter(|(_, (of, started, _))| *of == job && *started <= at);
    let sight = |(number, (_, started, takes)): (usize, &Simulated)| {
        let ended = Some(started + takes).filter(|ended| *ended <= at);
        seen(&job.to_string(), &number.to_string(), *started, ended)
    };
    of_job.map(sight).collect()
}

proptest! {
    /// Whatever is refused and whenever the process is restarted: each end since the first whole picture is asked for, once
    /// by each process at most.
    #[test]
    fn each_end_is_asked_for((runs, reads) in account()) {
        let mut reported = Reported::new(None);
        let (mut written, mut first_whole, mut began) = (None, None, 0);
        let mut sent: BTreeMap<String, Vec<EventType>> = BTreeMap::new();
        let mut of_process: BTreeMap<String, usize> = BTreeMap::new();
        let last = (100, true, None);
        for (pause, is_restarted, refused) in reads.into_iter().chain([(300, false, None), last]) {
            began += pause;
            if is_restarted {
                reported = Reported::new(written);
                of_process.clear();
            }
            let jobs = (0..JOBS).filter(|job| Some(*job) != refused);
            let picture = jobs.flat_map(|job| shown(&runs, job, began)).collect();
            let advance = reported.advance(picture, refused.is_none().then(|| minute(began)));
            if advance.is_to_write {
                prop_assert!(reported.until() > written, "the written time advances");
                written = reported.until();
            }
            for (run, events) in advance.events {
                let ends = of_process.entry(run.id.clone()).or_default();
                *ends += events.iter().filter(|event| event.is_end()).count();
                prop_assert!(*ends <= 1, "{} has two ends", run.id);
                sent.entry(run.id).or_default().extend(events);
            }
            if refused.is_none() {
                first_whole.get_or_insert(began);
            }
        }
        let first_whole = first_whole.unwrap_or_default();
        for (number, (job, started, takes)) in runs.iter().enumerate() {
            let events = sent.get(&number.to_string()).cloned().unwrap_or_default();
            let first_end = events.iter().position(|event| event.is_end());
            let first_start = events.iter().position(|event| *event == EventType::Start);
            prop_assert!(first_end.is_none() || first_start < first_end, "a start goes before the end");
            let ended = started + takes;
            if ended > first_whole + i64::from(*job) * 2 {
                prop_assert!(first_end.is_some(), "the end of {number} at {ended} is missing");
            }
        }
    }
}
