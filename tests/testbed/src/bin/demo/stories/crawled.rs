//! Two objects ask for a crawl of one crawler; Glue makes one, and both follow it.

use crate::{
    follow::Follow,
    problem::{Problem, expect},
    show,
    stage::Stage,
};

const NAMES: [&str; 2] = ["raw-orders-2026-01-31", "raw-orders-attached"];
const CRAWLER: &str = "raw-orders";

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    let [mut first, mut second] = NAMES.map(|name| Follow::new(stage, "GlueCrawlerRun", name));
    stage.apply(["crawler-run.yaml", "crawler-run-attached.yaml"]).await?;
    let first = first.until_the_end("Succeeded").await?;
    let second = second.until_the_end("Succeeded").await?;
    stage.kubectl(["get", "gluecrawlerruns", "-o", "wide"]).await?;
    show::record(stage, CRAWLER);
    expect(first["crawlId"].is_string() && first["crawlId"] == second["crawlId"], || {
        format!("they follow different crawls: {} and {}", first["crawlId"], second["crawlId"])
    })?;
    expect(first["changes"]["tables"]["added"] == 1, || format!("the table is missing: {}", first["changes"]))?;
    let starts = stage.double.requests().of("StartCrawler").name(CRAWLER).succeeded().count();
    expect(starts == 1, || format!("StartCrawler went through {starts} times"))?;
    show::good("Glue crawled once, and both objects have what came of it.");
    Ok(())
}
