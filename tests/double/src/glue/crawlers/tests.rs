//! Crawls over time, by the operations and with a held clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Changes, CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings};
use crate::glue::fixture::Fixture;

const NAME: &str = "raw";

fn fixture(script: CrawlScript) -> Fixture {
    let fixture = Fixture::new();
    fixture.with(|region| region.define_crawler(CrawlerSettings::new(NAME), script)).unwrap();
    fixture
}

fn named() -> Value {
    json!({ "Name": NAME })
}

fn state(fixture: &Fixture) -> String {
    crawler(fixture)["State"].as_str().unwrap().to_owned()
}

fn crawler(fixture: &Fixture) -> Value {
    fixture.call("GetCrawler", &named()).unwrap()["Crawler"].clone()
}

fn crawls(fixture: &Fixture, more: &Value) -> Vec<Value> {
    let mut body = json!({ "CrawlerName": NAME });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fixture.call("ListCrawls", &body).unwrap()["Crawls"].as_array().unwrap().clone()
}

#[test]
fn a_crawler_is_stopping_before_ready_and_the_outcome_is_in_the_history() {
    let changes = Changes {
        tables_added: vec!["orders".into()],
        partitions_updated: vec!["day=1".into(), "day=2".into()],
        ..Changes::default()
    };
    let fixture = fixture(CrawlScript::default().changes(&changes));
    assert_eq!(state(&fixture), "READY");
    assert!(crawler(&fixture).get("LastCrawl").is_none());
    fixture.call("StartCrawler", &named()).unwrap();
    assert_eq!(state(&fixture), "RUNNING");
    fixture.step(30);
    assert_eq!(crawler(&fixture)["CrawlElapsedTime"], 30_000);
    let running = &crawls(&fixture, &json!({}))[0];
    assert_eq!((&running["State"], running.get("EndTime")), (&json!("RUNNING"), None));
    fixture.step(30);
    assert_eq!(state(&fixture), "STOPPING");
    fixture.expect_error("StartCrawler", &named(), "CrawlerRunningException");
    fixture.expect_error("StopCrawler", &named(), "CrawlerStoppingException");
    fixture.step(10);
    let ready = crawler(&fixture);
    assert_eq!((&ready["State"], &ready["LastCrawl"]["Status"]), (&json!("READY"), &json!("SUCCEEDED")));
    let crawl = &crawls(&fixture, &json!({}))[0];
    assert_eq!(crawl["State"], "COMPLETED");
    assert_eq!(crawl["CrawlId"], ready["LastCrawl"]["MessagePrefix"]);
    let summary: Value = serde_json::from_str(crawl["Summary"].as_str().unwrap()).unwrap();
    let partitions: Value = serde_json::from_str(summary["PARTITION"].as_str().unwrap()).unwrap();
    assert_eq!(partitions["UPDATE"], json!({ "Details": { "names": ["day=1", "day=2"] }, "Count": 2 }));
}

#[test]
fn a_running_crawl_can_be_stopped_and_a_ready_crawler_cannot() {
    let fixture = fixture(CrawlScript::ends(CrawlOutcome::Never));
    fixture.expect_error("StopCrawler", &named(), "CrawlerNotRunningException");
    fixture.call("StartCrawler", &named()).unwrap();
    fixture.step(3600);
    fixture.call("StopCrawler", &named()).unwrap();
    assert_eq!(state(&fixture), "STOPPING");
    fixture.step(10);
    assert_eq!(crawler(&fixture)["LastCrawl"]["Status"], "CANCELLED");
    assert_eq!(crawls(&fixture, &json!({}))[0]["State"], "STOPPED");
    fixture.expect_error("StartCrawler", &json!({ "Name": "other" }), "EntityNotFoundException");
}

#[test]
fn plans_are_used_in_order_and_a_failed_crawl_has_its_message() {
    let fails = CrawlPlan { outcome: CrawlOutcome::Failed("no access".into()), ..CrawlPlan::default() };
    let fixture = fixture(CrawlScript::sequence([fails, CrawlPlan::default()]));
    for _ in 0..2 {
        fixture.call("StartCrawler", &named()).unwrap();
        fixture.step(100);
    }
    let states: Vec<Value> = crawls(&fixture, &json!({})).iter().map(|crawl| crawl["State"].clone()).collect();
    assert_eq!(states, ["COMPLETED", "FAILED"], "newest first");
    assert_eq!(crawls(&fixture, &json!({}))[1]["ErrorMessage"], "no access");
}

#[test]
fn the_history_has_filters_and_pages() {
    let fixture = fixture(CrawlScript::default());
    let mut starts = Vec::new();
    for _ in 0..25 {
        starts.push(fixture.clock.now().0);
        fixture.call("StartCrawler", &named()).unwrap();
        fixture.step(100);
    }
    assert_eq!(crawls(&fixture, &json!({})).len(), 20);
    let filter = |field: &str, operator: &str, value: &str| {
        let filter = json!({ "FieldName": field, "FilterOperator": operator, "FieldValue": value });
        json!({ "Filters": [filter] })
    };
    assert_eq!(crawls(&fixture, &filter("START_TIME", "GT", &starts[20].to_string())).len(), 4);
    assert_eq!(crawls(&fixture, &filter("START_TIME", "LE", &starts[2].to_string())).len(), 3);
    assert_eq!(crawls(&fixture, &filter("STATE", "EQ", "FAILED")).len(), 0);
    let id = crawls(&fixture, &json!({}))[3]["CrawlId"].as_str().unwrap().to_owned();
    assert_eq!(crawls(&fixture, &filter("CRAWL_ID", "EQ", &id)).len(), 1);
    fixture.expect_error(
        "ListCrawls",
        &json!({ "CrawlerName": NAME, "Filters": [
        { "FieldName": "START_TIME", "FilterOperator": "GT", "FieldValue": "yesterday" }
    ] }),
        "InvalidInputException",
    );
    let mut seen = 0;
    let mut token = Value::Null;
    loop {
        let page =
            fixture.call("ListCrawls", &json!({ "CrawlerName": NAME, "MaxResults": 10, "NextToken": token })).unwrap();
        seen += page["Crawls"].as_array().unwrap().len();
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, 25);
}

#[test]
fn a_schedule_starts_crawls_until_it_is_stopped() {
    let fixture = Fixture::new();
    let crawler = CrawlerSettings::new(NAME).schedule("cron(0 * * * ? *)");
    fixture.with(|region| region.define_crawler(crawler, CrawlScript::default())).unwrap();
    fixture.step(3 * 3600);
    assert_eq!(crawls(&fixture, &json!({})).len(), 3);
    fixture.expect_error("StartCrawlerSchedule", &json!({ "CrawlerName": NAME }), "SchedulerRunningException");
    fixture.call("StopCrawlerSchedule", &json!({ "CrawlerName": NAME })).unwrap();
    fixture.step(3 * 3600);
    assert_eq!(crawls(&fixture, &json!({})).len(), 3);
    fixture.expect_error("StopCrawlerSchedule", &json!({ "CrawlerName": NAME }), "SchedulerNotRunningException");
    fixture.call("StartCrawlerSchedule", &json!({ "CrawlerName": NAME })).unwrap();
    fixture.step(3600);
    assert_eq!(crawls(&fixture, &json!({})).len(), 4);
}

#[test]
fn a_stale_read_does_not_show_a_new_crawl() {
    let fixture = fixture(CrawlScript::default());
    fixture.step(60);
    fixture.call("StartCrawler", &named()).unwrap();
    let stale = Some(Duration::from_secs(5));
    let seen = fixture.call_stale("GetCrawler", &named(), stale).unwrap();
    assert_eq!(seen["Crawler"]["State"], "READY");
    let seen = fixture.call_stale("ListCrawls", &json!({ "CrawlerName": NAME }), stale).unwrap();
    assert_eq!(seen["Crawls"], json!([]));
}

#[test]
fn a_running_crawler_cannot_be_changed_or_deleted() {
    let fixture = fixture(CrawlScript::default());
    fixture.call("StartCrawler", &named()).unwrap();
    fixture.expect_error("UpdateCrawler", &json!({ "Name": NAME, "Role": "other" }), "CrawlerRunningException");
    fixture.expect_error("DeleteCrawler", &named(), "CrawlerRunningException");
    fixture.step(100);
    fixture.call("UpdateCrawler", &json!({ "Name": NAME, "Role": "other" })).unwrap();
    assert_eq!((&crawler(&fixture)["Role"], &crawler(&fixture)["Version"]), (&json!("other"), &json!(2)));
    fixture.call("DeleteCrawler", &named()).unwrap();
    fixture.expect_error("GetCrawler", &named(), "EntityNotFoundException");
}

#[test]
fn a_hidden_crawl_is_not_listed_for_some_time_and_a_crawler_may_stay_in_stopping() {
    let fixture = fixture(CrawlScript::ends(CrawlOutcome::Never).hidden(Duration::from_secs(30)).never_stops());
    fixture.call("StartCrawler", &named()).unwrap();
    fixture.step(29);
    assert_eq!((crawls(&fixture, &json!({})).len(), state(&fixture).as_str()), (0, "RUNNING"));
    fixture.step(1);
    assert_eq!(crawls(&fixture, &json!({})).len(), 1);
    fixture.call("StopCrawler", &named()).unwrap();
    fixture.step(24 * 3600 * 365);
    assert_eq!(state(&fixture), "STOPPING");
}
