//! Crawls over time, through the operations and on a clock that stands still.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Changes, CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings};
use crate::glue::bench::Bench;

const NAME: &str = "raw";

fn bench(script: CrawlScript) -> Bench {
    let bench = Bench::new();
    bench.with(|region| region.define_crawler(CrawlerSettings::new(NAME), script)).unwrap();
    bench
}

fn named() -> Value {
    json!({ "Name": NAME })
}

fn state(bench: &Bench) -> String {
    crawler(bench)["State"].as_str().unwrap().to_owned()
}

fn crawler(bench: &Bench) -> Value {
    bench.call("GetCrawler", &named()).unwrap()["Crawler"].clone()
}

fn crawls(bench: &Bench, more: &Value) -> Vec<Value> {
    let mut body = json!({ "CrawlerName": NAME });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bench.call("ListCrawls", &body).unwrap()["Crawls"].as_array().unwrap().clone()
}

#[test]
fn a_crawl_ends_by_way_of_stopping_and_leaves_its_outcome_in_the_history() {
    let changes = Changes {
        tables_added: vec!["orders".into()],
        partitions_updated: vec!["day=1".into(), "day=2".into()],
        ..Changes::default()
    };
    let bench = bench(CrawlScript::default().changes(&changes));
    assert_eq!(state(&bench), "READY");
    assert!(crawler(&bench).get("LastCrawl").is_none());
    bench.call("StartCrawler", &named()).unwrap();
    assert_eq!(state(&bench), "RUNNING");
    bench.step(30);
    assert_eq!(crawler(&bench)["CrawlElapsedTime"], 30_000);
    let running = &crawls(&bench, &json!({}))[0];
    assert_eq!((&running["State"], running.get("EndTime")), (&json!("RUNNING"), None));
    bench.step(30);
    assert_eq!(state(&bench), "STOPPING");
    bench.refuse("StartCrawler", &named(), "CrawlerRunningException");
    bench.refuse("StopCrawler", &named(), "CrawlerStoppingException");
    bench.step(10);
    let over = crawler(&bench);
    assert_eq!((&over["State"], &over["LastCrawl"]["Status"]), (&json!("READY"), &json!("SUCCEEDED")));
    let crawl = &crawls(&bench, &json!({}))[0];
    assert_eq!(crawl["State"], "COMPLETED");
    assert_eq!(crawl["CrawlId"], over["LastCrawl"]["MessagePrefix"]);
    let summary: Value = serde_json::from_str(crawl["Summary"].as_str().unwrap()).unwrap();
    let partitions: Value = serde_json::from_str(summary["PARTITION"].as_str().unwrap()).unwrap();
    assert_eq!(partitions["UPDATE"], json!({ "Details": { "names": ["day=1", "day=2"] }, "Count": 2 }));
}

#[test]
fn a_stopped_crawl_is_stopped_and_a_crawler_at_rest_cannot_be() {
    let bench = bench(CrawlScript::ends(CrawlOutcome::Never));
    bench.refuse("StopCrawler", &named(), "CrawlerNotRunningException");
    bench.call("StartCrawler", &named()).unwrap();
    bench.step(3600);
    bench.call("StopCrawler", &named()).unwrap();
    assert_eq!(state(&bench), "STOPPING");
    bench.step(10);
    assert_eq!(crawler(&bench)["LastCrawl"]["Status"], "CANCELLED");
    assert_eq!(crawls(&bench, &json!({}))[0]["State"], "STOPPED");
    bench.refuse("StartCrawler", &json!({ "Name": "other" }), "EntityNotFoundException");
}

#[test]
fn plans_come_in_order_and_a_failure_says_why() {
    let fails = CrawlPlan { outcome: CrawlOutcome::Failed("no access".into()), ..CrawlPlan::default() };
    let bench = bench(CrawlScript::sequence([fails, CrawlPlan::default()]));
    for _ in 0..2 {
        bench.call("StartCrawler", &named()).unwrap();
        bench.step(100);
    }
    let states: Vec<Value> = crawls(&bench, &json!({})).iter().map(|crawl| crawl["State"].clone()).collect();
    assert_eq!(states, ["COMPLETED", "FAILED"], "newest first");
    assert_eq!(crawls(&bench, &json!({}))[1]["ErrorMessage"], "no access");
}

#[test]
fn the_history_has_filters_and_pages() {
    let bench = bench(CrawlScript::default());
    let mut starts = Vec::new();
    for _ in 0..25 {
        starts.push(bench.clock.now().0);
        bench.call("StartCrawler", &named()).unwrap();
        bench.step(100);
    }
    assert_eq!(crawls(&bench, &json!({})).len(), 20);
    let filter = |field: &str, operator: &str, value: &str| json!({ "Filters": [{ "FieldName": field, "FilterOperator": operator, "FieldValue": value }] });
    assert_eq!(crawls(&bench, &filter("START_TIME", "GT", &starts[20].to_string())).len(), 4);
    assert_eq!(crawls(&bench, &filter("START_TIME", "LE", &starts[2].to_string())).len(), 3);
    assert_eq!(crawls(&bench, &filter("STATE", "EQ", "FAILED")).len(), 0);
    let id = crawls(&bench, &json!({}))[3]["CrawlId"].as_str().unwrap().to_owned();
    assert_eq!(crawls(&bench, &filter("CRAWL_ID", "EQ", &id)).len(), 1);
    bench.refuse(
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
            bench.call("ListCrawls", &json!({ "CrawlerName": NAME, "MaxResults": 10, "NextToken": token })).unwrap();
        seen += page["Crawls"].as_array().unwrap().len();
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, 25);
}

#[test]
fn a_schedule_starts_crawls_by_itself_until_it_is_stopped() {
    let bench = Bench::new();
    let crawler = CrawlerSettings::new(NAME).schedule("cron(0 * * * ? *)");
    bench.with(|region| region.define_crawler(crawler, CrawlScript::default())).unwrap();
    bench.step(3 * 3600);
    assert_eq!(crawls(&bench, &json!({})).len(), 3);
    bench.refuse("StartCrawlerSchedule", &json!({ "CrawlerName": NAME }), "SchedulerRunningException");
    bench.call("StopCrawlerSchedule", &json!({ "CrawlerName": NAME })).unwrap();
    bench.step(3 * 3600);
    assert_eq!(crawls(&bench, &json!({})).len(), 3);
    bench.refuse("StopCrawlerSchedule", &json!({ "CrawlerName": NAME }), "SchedulerNotRunningException");
    bench.call("StartCrawlerSchedule", &json!({ "CrawlerName": NAME })).unwrap();
    bench.step(3600);
    assert_eq!(crawls(&bench, &json!({})).len(), 4);
}

#[test]
fn a_stale_read_does_not_know_of_a_new_crawl() {
    let bench = bench(CrawlScript::default());
    bench.step(60);
    bench.call("StartCrawler", &named()).unwrap();
    let stale = Some(Duration::from_secs(5));
    let seen = bench.call_stale("GetCrawler", &named(), stale).unwrap();
    assert_eq!(seen["Crawler"]["State"], "READY");
    let seen = bench.call_stale("ListCrawls", &json!({ "CrawlerName": NAME }), stale).unwrap();
    assert_eq!(seen["Crawls"], json!([]));
}

#[test]
fn a_running_crawler_cannot_be_changed_or_deleted() {
    let bench = bench(CrawlScript::default());
    bench.call("StartCrawler", &named()).unwrap();
    bench.refuse("UpdateCrawler", &json!({ "Name": NAME, "Role": "other" }), "CrawlerRunningException");
    bench.refuse("DeleteCrawler", &named(), "CrawlerRunningException");
    bench.step(100);
    bench.call("UpdateCrawler", &json!({ "Name": NAME, "Role": "other" })).unwrap();
    assert_eq!((&crawler(&bench)["Role"], &crawler(&bench)["Version"]), (&json!("other"), &json!(2)));
    bench.call("DeleteCrawler", &named()).unwrap();
    bench.refuse("GetCrawler", &named(), "EntityNotFoundException");
}
