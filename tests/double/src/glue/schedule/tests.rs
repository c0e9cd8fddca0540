use super::*;

fn next(expression: &str, after: &str) -> String {
    let after: jiff::Timestamp = after.parse().unwrap();
    let next = Schedule::parse(expression).unwrap().next_after(Time(after.as_millisecond()));
    next.map_or_else(|| "never".to_owned(), |next| next.timestamp().to_string())
}

/// The examples of "Time-based schedules for jobs and crawlers" in the Glue developer guide.
#[test]
fn the_documented_examples_have_the_documented_times() {
    let monday = "2026-11-23T10:03:00Z";
    assert_eq!(next("cron(15 12 * * ? *)", monday), "2026-11-23T12:15:00Z");
    assert_eq!(next("cron(0 10 * * ? *)", monday), "2026-11-24T10:00:00Z");
    assert_eq!(next("cron(0 18 ? * MON-FRI *)", "2026-11-27T19:00:00Z"), "2026-11-30T18:00:00Z");
    assert_eq!(next("cron(0 8 1 * ? *)", monday), "2026-12-01T08:00:00Z");
    assert_eq!(next("cron(0/15 * * * ? *)", monday), "2026-11-23T10:15:00Z");
    assert_eq!(next("cron(0/10 * ? * MON-FRI *)", monday), "2026-11-23T10:10:00Z");
    assert_eq!(next("cron(0/5 8-17 ? * MON-FRI *)", monday), "2026-11-23T10:05:00Z");
}

#[test]
fn days_of_the_week_count_from_sunday_and_years_end() {
    assert_eq!(next("cron(0 0 ? * 1 *)", "2026-11-23T10:03:00Z"), "2026-11-29T00:00:00Z");
    assert_eq!(next("cron(0 0 L * ? *)", "2026-11-23T10:03:00Z"), "2026-11-30T00:00:00Z");
    assert_eq!(next("cron(0 0 1 1 ? 2026)", "2026-11-23T10:03:00Z"), "never");
}

#[test]
fn an_invalid_schedule_is_refused() {
    for wrong in
        ["", "15 12 * * ? *", "cron(15 12 * * *)", "cron(15 12 * * * *)", "cron(15 12 ? * ? *)", "rate(5 minutes)"]
    {
        assert_eq!(Schedule::parse(wrong).unwrap_err().code, "InvalidInputException", "{wrong}");
    }
}
