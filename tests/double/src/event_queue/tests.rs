use super::*;

#[test]
fn events_come_in_order_of_time_and_then_of_insertion() {
    let mut queue = EventQueue::default();
    queue.push(Time(20), 'c');
    queue.push(Time(10), 'a');
    queue.push(Time(20), 'd');
    queue.push(Time(10), 'b');
    queue.push(Time(30), 'e');
    let mut seen = String::new();
    while let Some((_, event)) = queue.pop_due(Time(29)) {
        seen.push(event);
    }
    assert_eq!(seen, "abcd");
}
