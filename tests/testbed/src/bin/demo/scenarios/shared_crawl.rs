//! Two objects request a crawl of the same crawler. Glue makes one crawl, and both objects follow it.

use crate::{
    environment::Environment,
    error::{DemoError, expect},
    follow::Follow,
    show,
};

const NAMES: [&str; 2] = ["raw-orders-2026-01-31", "raw-orders-attached"];
const CRAWLER: &str = "raw-orders";

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let [mut first, mut second] = NAMES.map(|name| Follow::new(environment, "GlueCrawlerRun", name));
    environment.apply(["crawler-run.yaml", "crawler-run-attached.yaml"]).await?;
    let first = first.until_the_end("Succeeded").await?;
    let second = second.until_the_end("Succeeded").await?;
    environment.kubectl(["get", "gluecrawlerruns", "-o", "wide"]).await?;
    show::record(environment, CRAWLER);
    expect(first["crawlId"].is_string() && first["crawlId"] == second["crawlId"], || {
        format!("the objects follow different crawls: {} and {}", first["crawlId"], second["crawlId"])
    })?;
    expect(first["changes"]["tables"]["added"] == 1, || {
        format!("the changes do not have one added table: {}", first["changes"])
    })?;
    let starts = environment.double.requests().of("StartCrawler").name(CRAWLER).succeeded().count();
    expect(starts == 1, || format!("StartCrawler succeeded {starts} times"))?;
    show::good("Glue made one crawl, and both objects show its result.");
    Ok(())
}
