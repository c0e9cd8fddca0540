//! Calls that show whether they are allowed and change nothing: each is about a name that does not exist, which AWS finds
//! out after it has authorized the call (IAM User Guide, "Policy evaluation logic").

use aws_sdk_glue::types::{ConnectionInput, ConnectionPropertyKey, ConnectionType, PhysicalConnectionRequirements};

use super::{Glue, errors};
use crate::glue::identity::partition_of;
use crate::glue::permissions::Permission;
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind};

/// The id of a run that does not exist.
const NO_RUN: &str = "kube-glue-check";

impl Glue {
    /// Whether the credentials may call `operation` of Glue. `name` is that of a resource that does not exist.
    pub async fn permission(&self, operation: &'static str, name: &str) -> Result<Permission, Error> {
        let sdk = &self.inner.sdk;
        let names = || Some(vec![name.to_owned()]);
        /// Sends a request, whose answer is of no interest.
        macro_rules! dry {
            ($request:expr) => {
                Box::pin(self.call(operation, name.to_owned(), Priority::Poll, Box::pin($request.send())))
                    .await
                    .map(drop)
            };
        }
        let answer = match operation {
            "StartJobRun" => dry!(sdk.start_job_run().job_name(name)),
            "GetJobRun" => dry!(sdk.get_job_run().job_name(name).run_id(NO_RUN)),
            "GetJobRuns" => dry!(sdk.get_job_runs().job_name(name)),
            "BatchStopJobRun" => dry!(sdk.batch_stop_job_run().job_name(name).job_run_ids(NO_RUN)),
            "GetJob" => dry!(sdk.get_job().job_name(name)),
            "StartCrawler" => dry!(sdk.start_crawler().name(name)),
            "StopCrawler" => dry!(sdk.stop_crawler().name(name)),
            "BatchGetCrawlers" => dry!(sdk.batch_get_crawlers().set_crawler_names(names())),
            "ListCrawls" => dry!(sdk.list_crawls().crawler_name(name)),
            "GetCrawlerMetrics" => dry!(sdk.get_crawler_metrics().set_crawler_name_list(names())),
            "StartWorkflowRun" => dry!(sdk.start_workflow_run().name(name)),
            "ResumeWorkflowRun" => dry!(sdk.resume_workflow_run().name(name).run_id(NO_RUN).node_ids(NO_RUN)),
            "StopWorkflowRun" => dry!(sdk.stop_workflow_run().name(name).run_id(NO_RUN)),
            "GetWorkflowRun" => dry!(sdk.get_workflow_run().name(name).run_id(NO_RUN)),
            "GetWorkflowRuns" => dry!(sdk.get_workflow_runs().name(name)),
            "GetWorkflow" => dry!(sdk.get_workflow().name(name)),
            "BatchGetTriggers" => dry!(sdk.batch_get_triggers().set_trigger_names(names())),
            "StartTrigger" => dry!(sdk.start_trigger().name(name)),
            "StopTrigger" => dry!(sdk.stop_trigger().name(name)),
            "GetConnections" => dry!(sdk.get_connections().hide_password(true).max_results(1)),
            "UpdateConnection" => dry!(sdk.update_connection().name(name).connection_input(network(operation, name)?)),
            "BatchDeleteConnection" => dry!(sdk.batch_delete_connection().set_connection_name_list(names())),
            "TestConnection" => dry!(sdk.test_connection().connection_name(name)),
            "TagResource" => dry!(sdk.tag_resource().resource_arn(self.arn_of(name).await?).tags_to_add(NO_RUN, "")),
            "UntagResource" => {
                dry!(sdk.untag_resource().resource_arn(self.arn_of(name).await?).tags_to_remove(NO_RUN))
            }
            "GetTags" => dry!(sdk.get_tags().resource_arn(self.arn_of(name).await?)),
            "GetJobs" => dry!(sdk.get_jobs().max_results(1)),
            "GetCrawlers" => dry!(sdk.get_crawlers().max_results(1)),
            "GetTriggers" => dry!(sdk.get_triggers().max_results(1)),
            "DescribeConnectionType" => dry!(sdk.describe_connection_type().connection_type("POSTGRESQL")),
            "ListJobs" => dry!(sdk.list_jobs().max_results(1)),
            "ListCrawlers" => dry!(sdk.list_crawlers().max_results(1)),
            "ListTriggers" => dry!(sdk.list_triggers().max_results(1)),
            "ListWorkflows" => dry!(sdk.list_workflows().max_results(1)),
            "BatchGetJobs" => dry!(sdk.batch_get_jobs().set_job_names(names())),
            "BatchGetWorkflows" => dry!(sdk.batch_get_workflows().set_names(names())),
            "GetConnection" => dry!(sdk.get_connection().hide_password(true).name(name)),
            "GetTables" => dry!(sdk.get_tables().database_name(name).max_results(1)),
            "GetDataflowGraph" => dry!(sdk.get_dataflow_graph().python_script("")),
            "s3:GetObject" => {
                return Ok(Permission::NotChecked("each job says where its script is".to_owned()));
            }
            "CreateConnection" => {
                return Ok(Permission::NotChecked("there is no call of it that creates nothing".to_owned()));
            }
            _ => return Ok(Permission::NotChecked("there is no call of it that changes nothing".to_owned())),
        };
        Permission::of(answer)
    }

    /// The ARN of a connection that does not exist.
    async fn arn_of(&self, name: &str) -> Result<String, Error> {
        let (region, account) = (&self.identity().region, self.identify().await?.account_id);
        Ok(format!("arn:{}:glue:{region}:{account}:connection/{name}", partition_of(region)))
    }
}

/// The least of a connection.
fn network(operation: &'static str, name: &str) -> Result<ConnectionInput, Error> {
    let empty = std::collections::HashMap::<ConnectionPropertyKey, String>::new();
    let input = ConnectionInput::builder()
        .name(name)
        .connection_type(ConnectionType::Network)
        .set_connection_properties(Some(empty))
        .physical_connection_requirements(PhysicalConnectionRequirements::builder().subnet_id("subnet-0").build());
    input.build().map_err(|error| {
        errors::incomplete(operation, format!("connection {name}"), ErrorKind::Invalid, &error.to_string())
    })
}
