//! One run as Glue shows it: `get`.

use jiff::Timestamp;
use serde_json::Value;

use crate::plugin::aws::Caller;
use crate::plugin::cli::{GetArgs, GetRun};
use crate::plugin::columns::{self, text};
use crate::plugin::connect::Connection;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::output::{self, TableFormat};
use crate::plugin::table;

/// Members that are shown, with their labels; the first of those with one label that there is.
const FIELDS: [(&str, &str); 22] = [
    ("Id", "Id"),
    ("CrawlId", "Id"),
    ("WorkflowRunId", "Id"),
    ("JobName", "Job"),
    ("Name", "Workflow"),
    ("JobRunState", "State"),
    ("State", "State"),
    ("Status", "State"),
    ("StateDetail", "Detail"),
    ("ErrorMessage", "Message"),
    ("Summary", "Summary"),
    ("StartedOn", "Started"),
    ("StartTime", "Started"),
    ("CompletedOn", "Ended"),
    ("EndTime", "Ended"),
    ("Attempt", "Attempt"),
    ("PreviousRunId", "Retry of"),
    ("TriggerName", "Trigger"),
    ("GlueVersion", "Glue version"),
    ("ExecutionClass", "Execution class"),
    ("LogGroupName", "Log group"),
    ("LogGroup", "Log group"),
];

/// Reads a run and prints it.
pub(in crate::plugin) async fn execute(connection: &Connection, args: &GetArgs) -> Result<Exit, PluginError> {
    let kind = match &args.run {
        GetRun::JobRun { .. } => Kind::job_run(),
        GetRun::Crawl { .. } => Kind::crawler_run(),
        GetRun::WorkflowRun { .. } => Kind::workflow_run(),
    };
    let caller = args.aws.connect(connection, &kind).await?;
    let run = columns::with_readable_times(read(&caller, &args.run).await?);
    match args.output.unwrap_or_default() {
        TableFormat::Table | TableFormat::Wide => output::line(table::pairs(page(&run)))?,
        TableFormat::Name => output::line(id(&run))?,
        format @ (TableFormat::Json | TableFormat::Yaml) => {
            output::document(&run, &id(&run), format == TableFormat::Json)?;
        }
    }
    Ok(Exit::Succeeded)
}

async fn read(caller: &Caller, run: &GetRun) -> Result<Value, PluginError> {
    match run {
        GetRun::JobRun { job, run_id } => caller.read(async |glue| glue.job_run_document(job, run_id).await).await,
        GetRun::WorkflowRun { workflow, run_id } => {
            caller.read(async |glue| glue.workflow_run_document(workflow, run_id).await).await
        }
        GetRun::Crawl { crawler, crawl_id } => {
            let id = crawl_id.as_deref();
            let found = caller.read(async |glue| glue.crawl_document(crawler, id).await).await?;
            found.ok_or_else(|| {
                let which = id.map_or_else(|| "a crawl".to_owned(), |id| format!("crawl {id}"));
                PluginError::NotFound(format!("{which} of crawler {crawler}"))
            })
        }
    }
}

fn id(run: &Value) -> String {
    let ids = ["Id", "CrawlId", "WorkflowRunId"];
    ids.iter().map(|name| text(&run[*name])).find(|id| !id.is_empty()).unwrap_or_default()
}

/// Labels and values.
fn page(run: &Value) -> Vec<[String; 2]> {
    let mut pairs: Vec<[String; 2]> = Vec::new();
    let mut add = |label: &str, value: String| {
        if !value.is_empty() && !pairs.iter().any(|[known, _]| known == label) {
            pairs.push([label.to_owned(), value]);
        }
    };
    for (name, label) in FIELDS {
        add(label, text(&run[name]));
    }
    add("Capacity", columns::capacity(run));
    if let Some(seconds) = run["ExecutionTime"].as_i64().filter(|seconds| *seconds > 0) {
        add("Duration", table::age(Timestamp::UNIX_EPOCH, Timestamp::from_second(seconds).unwrap_or_default()));
    }
    let dpu_hours = run["DPUSeconds"].as_f64().map(|seconds| seconds / 3600.0).or(run["DPUHour"].as_f64());
    if let Some(hours) = dpu_hours {
        add("Cost", format!("{hours:.2} DPU hours"));
    }
    if let Some(statistics) = run["Statistics"].as_object() {
        let counts = statistics.iter().filter(|(_, count)| count.as_i64() != Some(0));
        add("Actions", counts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", "));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_of_each_sort_is_a_page() {
        let label = |run: &Value, label: &str| {
            page(run).into_iter().find(|[known, _]| known == label).map(|[_, value]| value).unwrap_or_default()
        };
        let run = json!({
            "Id": "jr_1", "JobName": "etl", "JobRunState": "FAILED", "ErrorMessage": "SystemExit: 3", "Attempt": 0,
            "WorkerType": "G.1X", "NumberOfWorkers": 2, "ExecutionTime": 90, "DPUSeconds": 1800.0,
        });
        for (name, value) in
            [("State", "FAILED"), ("Message", "SystemExit: 3"), ("Capacity", "2 x G.1X"), ("Cost", "0.50 DPU hours")]
        {
            assert_eq!(label(&run, name), value);
        }
        let crawl = json!({ "CrawlId": "c-1", "State": "COMPLETED", "DPUHour": 0.25 });
        assert_eq!((id(&crawl).as_str(), label(&crawl, "Cost").as_str()), ("c-1", "0.25 DPU hours"));
        let run = json!({ "Name": "w", "WorkflowRunId": "wr_1", "Status": "COMPLETED", "Statistics": { "TotalActions": 3, "FailedActions": 0 } });
        assert_eq!(label(&run, "Actions"), "TotalActions 3");
    }
}
