use proptest::prelude::*;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn run(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn entry(of: u128, body: &str, since: Time) -> Entry {
    Entry { run: run(of), body: body.to_owned(), is_minor: false, since }
}

fn queue() -> Queue {
    Queue::new(Bounds { events: 10_000, bytes: 1 << 20 })
}

/// Sends all that may be sent at `now` with this outcome, and returns the bodies.
fn send_all(queue: &mut Queue, now: Time, outcome: Outcome) -> Vec<String> {
    let mut sent = Vec::new();
    while let Next::Send(ticket) = queue.next(now) {
        assert_eq!(queue.answered(ticket.run, outcome, now, 0.5), None);
        sent.push(ticket.body);
    }
    sent
}

#[test]
fn events_of_several_runs_are_sent_at_once_and_those_of_one_in_order() {
    let mut queue = queue();
    for (of, body) in [(1, "1a"), (1, "1b"), (2, "2a"), (3, "3a"), (4, "4a"), (5, "5a")] {
        assert!(queue.enqueue(entry(of, body, Time::ZERO)).is_empty());
    }
    let mut tickets = Vec::new();
    while let Next::Send(ticket) = queue.next(Time::ZERO) {
        tickets.push(ticket);
    }
    let bodies: Vec<_> = tickets.iter().map(|ticket| ticket.body.as_str()).collect();
    assert_eq!(bodies, ["1a", "2a", "3a", "4a"]);
    queue.answered(run(1), Outcome::Delivered, Time::ZERO, 0.0);
    let Next::Send(next) = queue.next(Time::ZERO) else { panic!("one may be sent") };
    assert_eq!(next.body, "1b");
}

/// A receiver that is down for an hour gets all afterwards, each run's events in order, and is asked rarely meanwhile.
#[test]
fn a_receiver_that_was_down_for_an_hour_gets_everything_in_order() {
    let mut queue = queue();
    let (mut now, mut attempts, mut next_event) = (Time::ZERO, 0, 0);
    while now < HOUR {
        if next_event < 600 {
            drop(queue.enqueue(entry(next_event / 2, &format!("{next_event:04}"), now)));
            next_event += 1;
        }
        attempts += send_all(&mut queue, now, Outcome::Retry(None)).len();
        now += Duration::from_secs(6);
    }
    assert_eq!(queue.depth(), 600);
    assert!(queue.lag(now) >= HOUR.saturating_sub(Duration::from_secs(6)));
    assert!((60..200).contains(&attempts), "{attempts}");
    now += MAX_PAUSE;
    let delivered = send_all(&mut queue, now, Outcome::Delivered);
    assert_eq!(delivered.len(), 600);
    for pair in 0..300 {
        let position = |event: u128| delivered.iter().position(|body| *body == format!("{event:04}"));
        assert!(position(pair * 2) < position(pair * 2 + 1));
    }
    assert_eq!((queue.depth(), queue.lag(now), queue.is_failing()), (0, Duration::ZERO, false));
}

#[test]
fn a_wish_of_the_receiver_is_heeded_within_reason() {
    let mut queue = queue();
    drop(queue.enqueue(entry(1, "a", Time::ZERO)));
    for (wish, least, most) in [(30, 30, 30), (86_400, 600, 600)] {
        let now = queue.not_before;
        let Next::Send(_) = queue.next(now) else { panic!("it may be sent") };
        queue.answered(run(1), Outcome::Retry(Some(Duration::from_secs(wish))), now, 0.0);
        let Next::WaitUntil(until) = queue.next(now) else { panic!("it waits") };
        let pause = until.saturating_sub(now).as_secs();
        assert!((least..=most).contains(&pause), "{pause}");
    }
}

#[test]
fn what_the_receiver_refuses_is_dropped_and_the_rest_goes_on() {
    let mut queue = queue();
    drop(queue.enqueue(entry(1, "bad", Time::ZERO)));
    drop(queue.enqueue(entry(1, "good", Time::ZERO)));
    let Next::Send(ticket) = queue.next(Time::ZERO) else { panic!("it may be sent") };
    assert_eq!(queue.answered(ticket.run, Outcome::Refused, Time::ZERO, 0.0), Some(Dropped::Refused));
    assert_eq!(send_all(&mut queue, Time::ZERO, Outcome::Delivered), ["good"]);
}

#[test]
fn an_event_that_alone_fails_does_not_hold_up_the_others() {
    let mut queue = queue();
    drop(queue.enqueue(entry(0, "poison", Time::ZERO)));
    let (mut now, mut delivered, mut dropped) = (Time::ZERO, 0, Vec::new());
    for number in 1..200 {
        drop(queue.enqueue(entry(number, "good", now)));
        while let Next::Send(ticket) = queue.next(now) {
            let is_poison = ticket.body == "poison";
            let outcome = if is_poison { Outcome::Retry(None) } else { Outcome::Delivered };
            dropped.extend(queue.answered(ticket.run, outcome, now, 0.5));
            delivered += usize::from(!is_poison);
        }
        now += Duration::from_secs(1);
    }
    now += MAX_PAUSE;
    delivered += send_all(&mut queue, now, Outcome::Delivered).len();
    assert_eq!((delivered, dropped), (199, vec![Dropped::FailedAlone]));
}

#[test]
fn a_full_queue_drops_what_says_least_and_counts_it() {
    let mut queue = Queue::new(Bounds { events: 2, bytes: 1 << 20 });
    assert!(queue.enqueue(Entry { is_minor: true, ..entry(1, "known", Time::ZERO) }).is_empty());
    assert!(queue.enqueue(entry(2, "start", Time::ZERO)).is_empty());
    assert_eq!(queue.enqueue(Entry { is_minor: true, ..entry(3, "known", Time::ZERO) }), [Dropped::QueueFull]);
    assert_eq!(queue.enqueue(entry(1, "start", Time::ZERO)), [Dropped::QueueFull]);
    assert_eq!(queue.enqueue(entry(3, "start", Time::ZERO)), [Dropped::QueueFull]);
    let mut sent = send_all(&mut queue, Time::ZERO, Outcome::Delivered);
    sent.sort();
    assert_eq!(sent, ["start", "start"]);
}

#[test]
fn the_bytes_are_bounded_too() {
    let mut queue = Queue::new(Bounds { events: 10_000, bytes: 10 });
    assert!(queue.enqueue(entry(1, "12345678", Time::ZERO)).is_empty());
    assert_eq!(queue.enqueue(entry(2, "123", Time::ZERO)), [Dropped::QueueFull]);
    assert!(queue.enqueue(entry(2, "12", Time::ZERO)).is_empty());
}

#[derive(Clone, Debug)]
enum Event {
    Enqueue(u8, bool),
    Send,
    Answer(u8, u8),
    Pass(u16),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..6u8, prop::bool::weighted(0.2)).prop_map(|(run, minor)| Event::Enqueue(run, minor)),
        4 => Just(Event::Send),
        4 => (any::<u8>(), 0..10u8).prop_map(|(which, outcome)| Event::Answer(which, outcome)),
        2 => (0..2000u16).prop_map(Event::Pass),
    ]
}

proptest! {
    /// Whatever happens: each event is delivered once or counted as dropped, each run's in order, within the bounds; and when
    /// the receiver works in the end, the queue empties.
    #[test]
    fn nothing_is_lost_doubled_or_reordered(events in prop::collection::vec(event(), 0..300)) {
        let bounds = Bounds { events: 12, bytes: 1 << 20 };
        let mut queue = Queue::new(bounds);
        let (mut now, mut number, mut dropped) = (Time::ZERO, 0_u32, 0);
        let mut in_flight: Vec<Ticket> = Vec::new();
        let mut delivered: Vec<(Uuid, u32)> = Vec::new();
        for event in events {
            match event {
                Event::Enqueue(of, is_minor) => {
                    let new = Entry { is_minor, ..entry(of.into(), &number.to_string(), now) };
                    dropped += queue.enqueue(new).len();
                    number += 1;
                }
                Event::Send => if let Next::Send(ticket) = queue.next(now) {
                    prop_assert!(!in_flight.iter().any(|other| other.run == ticket.run));
                    in_flight.push(ticket);
                    prop_assert!(in_flight.len() <= MAX_IN_FLIGHT);
                },
                Event::Answer(which, outcome) if !in_flight.is_empty() => {
                    let ticket = in_flight.swap_remove(usize::from(which) % in_flight.len());
                    let outcome = match outcome {
                        0..=4 => Outcome::Delivered,
                        5 => Outcome::Refused,
                        6 => Outcome::Retry(Some(Duration::from_secs(3))),
                        _ => Outcome::Retry(None),
                    };
                    let lost = queue.answered(ticket.run, outcome, now, 0.3);
                    dropped += usize::from(lost.is_some());
                    if outcome == Outcome::Delivered {
                        delivered.push((ticket.run, ticket.body.parse().expect("a number")));
                    }
                }
                Event::Answer(..) => {}
                Event::Pass(millis) => now += Duration::from_millis(millis.into()),
            }
            prop_assert!(queue.depth() <= bounds.events);
        }
        for ticket in in_flight {
            queue.answered(ticket.run, Outcome::Delivered, now, 0.0);
            delivered.push((ticket.run, ticket.body.parse().expect("a number")));
        }
        for _ in 0..100 {
            now += MAX_WISH;
            while let Next::Send(ticket) = queue.next(now) {
                queue.answered(ticket.run, Outcome::Delivered, now, 0.0);
                delivered.push((ticket.run, ticket.body.parse().expect("a number")));
            }
        }
        prop_assert_eq!((queue.depth(), queue.oldest()), (0, None));
        prop_assert_eq!(delivered.len() + dropped, number as usize);
        let mut last: HashMap<Uuid, u32> = HashMap::new();
        for (run, number) in delivered {
            prop_assert!(last.insert(run, number).is_none_or(|before| before < number));
        }
    }
}
