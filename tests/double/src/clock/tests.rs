use super::*;

#[test]
fn a_held_clock_moves_by_steps_only() {
    let clock = Clock::default();
    clock.hold();
    let before = clock.now();
    assert_eq!(clock.now(), before);
    clock.step(Duration::from_secs(90));
    assert_eq!(clock.now().since(before), Duration::from_secs(90));
}

#[test]
fn a_new_speed_applies_from_the_moment_it_is_set() {
    let clock = Clock::default();
    clock.hold();
    clock.step(Duration::from_secs(1000));
    let before = clock.now();
    clock.set_speed(1_000_000.0);
    assert_eq!(clock.now(), before);
    clock.resume();
    while clock.now().since(before) < Duration::from_secs(1) {
        std::hint::spin_loop();
    }
}

#[test]
fn times_are_written_as_seconds_with_milliseconds() {
    assert_eq!(serde_json::to_string(&Time(1_602_873_931_255)).unwrap(), "1602873931.255");
}
