//! What the schedule promises: a bound on the calls, a turn for everybody, and the order of the turns.

#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use proptest::prelude::*;

use super::*;
use crate::glue::rate_limiter::pace::MOST_OFTEN;

const BASE: Duration = Duration::from_secs(5);
/// What an account allows that never throttled.
const UNTHROTTLED: f64 = 200.0;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A group as a test describes it.
#[derive(Clone, Copy, Debug)]
struct Member {
    client: usize,
    calls: usize,
    tolerance: Duration,
}

const URGENT: Member = Member { client: 0, calls: 1, tolerance: Duration::ZERO };
const PATIENT: Member = Member { tolerance: Duration::from_hours(1), ..URGENT };

/// The turns of some time: when, and which member's.
struct Turns {
    members: Vec<Member>,
    taken: Vec<(Duration, usize)>,
    length: Duration,
}

impl Turns {
    /// Lets the members poll at an account with this rate.
    fn at(allowed: impl Into<Option<u32>>, rate: f64, members: &[Member], length: Duration) -> Self {
        let start = Instant::now();
        let mut now = start;
        let mut schedule = PollSchedule::new(allowed.into(), now);
        let clients = [(); 20].map(|()| ClientId::next());
        let ids: Vec<_> = members.iter().map(|member| schedule.join(clients[member.client], now)).collect();
        let wait = |schedule: &mut PollSchedule, index: usize| {
            let pace = Pace { tolerance: members[index].tolerance, ..Pace::new(BASE) };
            schedule.wait(ids[index], pace);
        };
        for index in 0..members.len() {
            wait(&mut schedule, index);
        }
        let mut taken = Vec::new();
        while now - start < length {
            match schedule.next(now, rate) {
                NextPoll::Turn(id) => {
                    let index = ids.iter().position(|other| *other == id).unwrap();
                    taken.push((now - start, index));
                    schedule.record(id, members[index].calls, now, rate);
                    wait(&mut schedule, index);
                }
                NextPoll::At(at) => {
                    assert!(at > now, "time goes on");
                    now = at;
                }
                NextPoll::Idle => panic!("all wait"),
            }
        }
        Self { members: members.to_vec(), taken, length }
    }

    fn of(allowed: impl Into<Option<u32>>, members: &[Member]) -> Self {
        Self::at(allowed, UNTHROTTLED, members, Duration::from_mins(20))
    }

    /// The most calls of a minute, wherever it begins.
    fn most_calls_in_a_minute(&self) -> usize {
        let (mut first, mut calls, mut most) = (0, 0, 0);
        for (at, index) in &self.taken {
            calls += self.members[*index].calls;
            while self.taken[first].0 + Duration::from_mins(1) <= *at {
                calls -= self.members[self.taken[first].1].calls;
                first += 1;
            }
            most = most.max(calls);
        }
        most
    }

    /// The calls a minute, over the second half of the time.
    fn calls_a_minute(&self) -> f64 {
        let late = self.taken.iter().filter(|(at, _)| *at >= self.length / 2);
        let calls: usize = late.map(|(_, index)| self.members[*index].calls).sum();
        calls as f64 / (self.length / 2).as_secs_f64() * 60.0
    }

    /// The pauses of a member between two polls. That of the end counts, too.
    fn pauses(&self, member: usize, from: Duration) -> Vec<Duration> {
        let turns = self.taken.iter().filter(|(at, index)| *index == member && *at > from).map(|(at, _)| *at);
        let turns: Vec<_> = std::iter::once(from).chain(turns).chain([self.length]).collect();
        turns.windows(2).map(|turns| turns[1].saturating_sub(turns[0])).collect()
    }

    fn longest_pause(&self, member: usize) -> Duration {
        self.pauses(member, Duration::ZERO).into_iter().max().unwrap()
    }

    fn mean_pause(&self, member: usize) -> f64 {
        self.length.as_secs_f64() / (self.pauses(member, Duration::ZERO).len() - 1) as f64
    }
}

#[test]
fn few_groups_pause_for_as_long_as_a_change_may_stay_unseen() {
    for (tolerance, pause) in [(0.0, 5.0), (3.0, 5.0), (8.0, 8.0), (3600.0, 15.0)] {
        let turns = Turns::of(100, &[Member { tolerance: seconds(tolerance), ..URGENT }; 3]);
        for member in 0..3 {
            let mean = turns.mean_pause(member);
            assert!((mean - pause).abs() < 0.3, "{tolerance}: {mean}");
        }
    }
}

#[test]
fn the_pauses_are_as_long_as_the_allowed_calls_require() {
    for (groups, calls, allowed, pause) in [
        (20, 1, 100, 12.6),
        (20, 1, 300, 5.0),
        (40, 1, 100, 25.3),
        (20, 3, 100, 37.9),
        (1, 50, 100, 31.6),
        (1, 50, 600, 5.3),
        (200, 1, 100, 126.3),
        (20, 1, 1, 2400.0),
    ] {
        let members = vec![Member { calls, ..URGENT }; groups];
        let turns = Turns::at(allowed, UNTHROTTLED, &members, seconds(pause) * 40);
        let mean = (0..groups).map(|member| turns.mean_pause(member)).sum::<f64>() / groups as f64;
        assert!((mean / pause - 1.0).abs() < 0.1, "{groups} groups of {calls}, {allowed} allowed: {mean} s");
        assert!(turns.most_calls_in_a_minute() < allowed as usize + calls);
    }
}

#[test]
fn where_the_operator_says_nothing_everything_is_polled_within_a_bound() {
    for (groups, calls, a_minute) in [(20, 1, 95.0), (60, 1, 95.0), (200, 1, 160.0), (1000, 1, 800.0), (20, 25, 400.0)]
    {
        let turns = Turns::of(None, &vec![Member { calls, ..URGENT }; groups]);
        // How many calls a poll takes is known after the first round.
        let pauses = (0..groups).flat_map(|member| turns.pauses(member, turns.length / 2));
        let longest = pauses.max().unwrap();
        let found = turns.calls_a_minute();
        println!("{groups} groups of {calls}: {found:.0} calls a minute, each within {longest:.0?}");
        assert!((found / a_minute - 1.0).abs() < 0.02, "{found} of {a_minute}");
        assert!(longest < LONGEST_ROUND + BASE * 2, "{longest:?}");
    }
}

#[test]
fn polls_take_a_fifth_of_what_a_throttled_account_allows() {
    let members = vec![URGENT; 100];
    for (rate, calls) in [(200.0, 95.0), (5.0, 57.0), (0.5, 5.0)] {
        let turns = Turns::at(100, rate, &members, Duration::from_hours(1));
        let found = turns.calls_a_minute();
        assert!((found / calls - 1.0).abs() < 0.05, "{rate}: {found}");
    }
}

#[test]
fn groups_that_may_change_soon_come_more_often_where_a_round_takes_long() {
    for (groups, ratio) in [(20, 1.4), (100, 3.0), (200, 3.0)] {
        let members: Vec<_> = (0..groups).map(|index| if index % 2 == 0 { URGENT } else { PATIENT }).collect();
        let turns = Turns::at(100, UNTHROTTLED, &members, Duration::from_mins(groups));
        let (urgent, patient) = (turns.mean_pause(0), turns.mean_pause(1));
        println!("{groups} groups, half of them urgent: every {urgent:.1} s and {patient:.1} s");
        assert!((patient / urgent / ratio - 1.0).abs() < 0.2, "{groups} groups: {urgent} and {patient}");
    }
    let short: Vec<_> = (0..20).map(|index| if index == 0 { URGENT } else { PATIENT }).collect();
    assert!(Turns::of(100, &short).longest_pause(1) < Duration::from_secs(17), "a short round slows nobody");
}

#[test]
fn many_groups_of_one_client_do_not_slow_another_client() {
    let many = [URGENT; 300];
    let few = [Member { client: 1, ..URGENT }; 2];
    let turns = Turns::of(100, &[&many[..], &few].concat());
    assert!(turns.longest_pause(300) < seconds(7.0), "{:?}", turns.longest_pause(300));
    // One poll of many calls keeps it waiting only until its calls are made up for.
    let turns = Turns::of(100, &[Member { calls: 20, ..URGENT }, few[0], few[1]]);
    assert!(turns.longest_pause(1) < seconds(16.0), "{:?}", turns.longest_pause(1));
    assert!(turns.mean_pause(0) < 16.0, "{}", turns.mean_pause(0));
}

#[test]
fn a_poll_that_an_object_waits_for_comes_at_once_and_counts() {
    let start = Instant::now();
    let (mut schedule, client) = (PollSchedule::new(Some(60), start), ClientId::next());
    let other = schedule.join(ClientId::next(), start);
    let now = start + BASE;
    let ids: Vec<_> = (0..100).map(|_| schedule.join(client, now)).collect();
    let pace = Pace { requested_at: Some(now), ..Pace::new(BASE) };
    for id in &ids {
        schedule.wait(*id, pace);
    }
    schedule.wait(other, Pace { requested_at: None, ..pace });
    for id in &ids {
        assert_eq!(schedule.next(now, UNTHROTTLED), NextPoll::Turn(*id));
        assert!(schedule.is_turn(*id));
        schedule.record(*id, 1, now, UNTHROTTLED);
        schedule.wait(*id, Pace { requested_at: Some(now + BASE), ..pace });
    }
    // The other one pays for it, but not for long.
    let mut at = now;
    while let NextPoll::At(next) = schedule.next(at, UNTHROTTLED) {
        at = next;
    }
    assert!(schedule.is_turn(other) && at > now + seconds(4.0) && at < now + BASE, "{:?}", at - now);
}

/// The order in which groups with news and without have their turn, and how long the first sixty take.
fn turns_with_news(allowed: Option<u32>) -> (Vec<News>, Duration) {
    let start = Instant::now();
    let mut schedule = PollSchedule::new(allowed, start);
    let all = [News::Nothing, News::Unseen, News::Changed];
    let groups: Vec<_> = (0..90).map(|index| (schedule.join(ClientId::next(), start), all[index % 3])).collect();
    // They have polled before.
    for (id, news) in &groups {
        schedule.wait(*id, Pace { requested_at: Some(start), ..Pace::new(BASE) });
        assert_eq!(schedule.next(start, UNTHROTTLED), NextPoll::Turn(*id));
        schedule.record(*id, 1, start, UNTHROTTLED);
        schedule.wait(*id, Pace { news: *news, ..Pace::new(BASE) });
    }
    let (mut turns, mut now) = (Vec::new(), start + BASE * 2);
    let begun = now;
    while turns.len() < 60 {
        match schedule.next(now, UNTHROTTLED) {
            NextPoll::Turn(id) => turns.push(groups.iter().find(|(other, _)| *other == id).unwrap().1),
            NextPoll::At(at) => now = at,
            NextPoll::Idle => panic!("some wait"),
        }
    }
    (turns, now - begun)
}

#[test]
fn news_come_first_but_not_always_and_keep_to_a_limit() {
    let (turns, time) = turns_with_news(None);
    let of = |turns: &[News], news: News| turns.iter().filter(|of| **of == news).count();
    assert_eq!(of(&turns[..33], News::Changed), 30, "{turns:?}");
    assert_eq!([of(&turns, News::Nothing), of(&turns, News::Unseen)], [6, 24], "{turns:?}");
    // Those with news cost half.
    assert!((time.as_secs_f64() - 33.0 / 95.0 * 60.0).abs() < 5.0, "{time:?}");
    let (_, limited) = turns_with_news(Some(100));
    assert!((limited.as_secs_f64() - 60.0 / 95.0 * 60.0).abs() < 5.0, "{limited:?}");
}

#[test]
fn what_another_group_has_shown_to_be_unchanged_counts_as_polled() {
    let start = Instant::now();
    let mut schedule = PollSchedule::new(None, start);
    let [asking, other] = [(); 2].map(|()| schedule.join(ClientId::next(), start));
    schedule.wait(other, Pace::new(BASE));
    schedule.wait(asking, Pace::new(BASE));
    let now = start + BASE;
    assert_eq!(schedule.next(now, UNTHROTTLED), NextPoll::Turn(asking));
    schedule.wait(other, Pace { unchanged_at: Some(now), informs: 2, ..Pace::new(BASE) });
    assert_eq!(schedule.next(now, UNTHROTTLED), NextPoll::At(now + BASE));
    assert!((schedule.calls() - 1.5).abs() < 0.01, "the next poll of one of them counts for both");
}

#[test]
fn a_client_whose_objects_ask_for_many_polls_waits_with_its_others() {
    let start = Instant::now();
    let mut schedule = PollSchedule::new(Some(60), start);
    let [asking, other] = [(); 2].map(|()| schedule.join(ClientId::next(), start));
    let pace = Pace::new(BASE);
    let mut now = start;
    for _ in 0..30 {
        now += Duration::from_secs(1);
        schedule.wait(asking, Pace { requested_at: Some(now), ..pace });
        assert_eq!(schedule.next(now, UNTHROTTLED), NextPoll::Turn(asking));
        schedule.record(asking, 1, now, UNTHROTTLED);
    }
    let mut turns = Vec::new();
    schedule.wait(asking, pace);
    schedule.wait(other, pace);
    while turns.len() < 8 {
        match schedule.next(now, UNTHROTTLED) {
            NextPoll::Turn(id) => {
                turns.push(id);
                schedule.record(id, 8, now, UNTHROTTLED);
                schedule.wait(id, pace);
            }
            NextPoll::At(at) => now = at,
            NextPoll::Idle => panic!("both wait"),
        }
    }
    let early = turns.iter().take(4).filter(|id| **id == other).count();
    assert!(early >= 3, "{turns:?}");
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let calls = prop_oneof![4 => 1..4_usize, 1 => Just(20)];
    let tolerance = prop_oneof![Just(0), 0..60_u64, Just(86_400)];
    let member = (0..3_usize, calls, tolerance);
    let member = member.prop_map(|(client, calls, tolerance)| Member {
        client,
        calls,
        tolerance: Duration::from_secs(tolerance),
    });
    prop::collection::vec(member, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_minute_has_more_calls_than_allowed_and_everybody_has_a_turn(
        members in members(),
        allowed in 40..1000_u32,
        rate in 5.0..200.0_f64,
    ) {
        let a_minute = f64::from(allowed).min(rate * SHARE * 60.0);
        let dearest = members.iter().map(|member| member.calls).max().unwrap();
        let turns = Turns::at(allowed, rate, &members, Duration::from_mins(20));
        let most = turns.most_calls_in_a_minute();
        prop_assert!(most as f64 <= a_minute + dearest as f64, "{} calls, {} allowed", most, a_minute);
        // Between two turns of a client, each other one has as many calls, or three times as many, and one poll more. And
        // between two turns of a group, each other one of its client has three turns, and one more.
        let clients: std::collections::BTreeSet<_> = members.iter().map(|member| member.client).collect();
        for (index, member) in members.iter().enumerate() {
            let own = members.iter().filter(|other| other.client == member.client).map(|other| {
                (MOST_OFTEN + 1.0) * clients.len() as f64 * (MOST_OFTEN * other.calls as f64 + dearest as f64)
            });
            let longest = seconds(own.sum::<f64>() / (a_minute * (1.0 - SAVED)) * 60.0).max(BASE * 3) + BASE;
            let found = turns.longest_pause(index);
            prop_assert!(found <= longest, "{:?} of {:?} for {:?}", found, longest, member);
        }
        // What is allowed is used where it is needed.
        let wanted = members.iter().map(|member| {
            member.calls as f64 / member.tolerance.clamp(BASE, BASE * 3).as_secs_f64() * 60.0
        });
        let (wanted, used) = (wanted.sum::<f64>(), turns.calls_a_minute());
        prop_assert!(used >= 0.8 * wanted.min(a_minute * (1.0 - SAVED)) - 1.0, "{} of {}, {} allowed", used, wanted, a_minute);
    }
}
