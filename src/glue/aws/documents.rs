//! Reads whose answers are passed on as Glue sent them: JSON with Glue's own names, also of members that the SDK does not
//! know. `kubectl glue` shows them, and lineage reads names of datasets in them; what decides uses typed models.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_glue::types::{CrawlsFilter, FieldName, FilterOperator};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;

use super::errors::{self, SdkError};
use super::large_stack::on_large_stack;
use super::{Glue, non_empty};
use crate::glue::documents::{BATCH_SIZE, Collection};
use crate::glue::poller::listing::Page;
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind};

/// Keeps the body of an answer.
#[derive(Clone, Debug, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Intercept for Capture {
    fn name(&self) -> &'static str {
        "Capture"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(body) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        }
        Ok(())
    }
}

/// Builds a request and sends it with a [`Capture`].
macro_rules! captured {
    ($request:expr) => {
        |capture| $request.customize().interceptor(capture).send()
    };
}

impl Glue {
    /// A page of the names of what is there, of up to `size`: `ListJobs`, `ListCrawlers`, `ListTriggers` or
    /// `ListWorkflows`. Connections have no such operation.
    pub async fn list_names(
        &self,
        collection: Collection,
        size: i32,
        token: Option<String>,
    ) -> Result<Page<String>, Error> {
        let sdk = &self.inner.sdk;
        let object = || format!("the {}", collection.noun());
        let call = Priority::Poll;
        let (names, next) = match collection {
            Collection::Jobs => {
                let request = sdk.list_jobs().max_results(size).set_next_token(token).send();
                let response = self.call("ListJobs", object(), call, request).await?;
                (response.job_names, response.next_token)
            }
            Collection::Crawlers => {
                let request = sdk.list_crawlers().max_results(size).set_next_token(token).send();
                let response = self.call("ListCrawlers", object(), call, request).await?;
                (response.crawler_names, response.next_token)
            }
            Collection::Triggers => {
                let request = sdk.list_triggers().max_results(size).set_next_token(token).send();
                let response = self.call("ListTriggers", object(), call, request).await?;
                (response.trigger_names, response.next_token)
            }
            Collection::Workflows => {
                let request = sdk.list_workflows().max_results(size).set_next_token(token).send();
                let response = self.call("ListWorkflows", object(), call, request).await?;
                (response.workflows, response.next_token)
            }
            Collection::Connections => {
                let page = self.connection_documents(size, token).await?;
                let name = |item: &Value| item["Name"].as_str().map(str::to_owned);
                return Ok(Page { items: page.items.iter().filter_map(name).collect(), next: page.next });
            }
        };
        Ok(Page { items: names.unwrap_or_default(), next: non_empty(next) })
    }

    /// The definitions of what has these names, at most [`BATCH_SIZE`]: `BatchGetJobs`, `BatchGetCrawlers`,
    /// `BatchGetTriggers` or `BatchGetWorkflows`. One that does not exist is not among them.
    pub async fn definitions(&self, collection: Collection, names: &[String]) -> Result<Vec<Value>, Error> {
        let sdk = &self.inner.sdk;
        let names = Some(names.iter().take(BATCH_SIZE).cloned().collect());
        let object = format!("the {}", collection.noun());
        let document = match collection {
            Collection::Jobs => {
                let request = captured!(sdk.batch_get_jobs().set_job_names(names));
                self.document("BatchGetJobs", object, request).await?
            }
            Collection::Crawlers => {
                let request = captured!(sdk.batch_get_crawlers().set_crawler_names(names));
                self.document("BatchGetCrawlers", object, request).await?
            }
            Collection::Triggers => {
                let request = captured!(sdk.batch_get_triggers().set_trigger_names(names));
                self.document("BatchGetTriggers", object, request).await?
            }
            Collection::Workflows => {
                let request = captured!(sdk.batch_get_workflows().set_names(names));
                self.document("BatchGetWorkflows", object, request).await?
            }
            Collection::Connections => return Ok(Vec::new()),
        };
        Ok(items(document, collection))
    }

    /// A page of connections (`GetConnections`), without passwords.
    pub async fn connection_documents(&self, size: i32, token: Option<String>) -> Result<Page<Value>, Error> {
        let request = self.inner.sdk.get_connections().hide_password(true).max_results(size).set_next_token(token);
        let document = self.document("GetConnections", "the connections".to_owned(), captured!(request)).await?;
        let next = non_empty(document["NextToken"].as_str().map(str::to_owned));
        Ok(Page { items: items(document, Collection::Connections), next })
    }

    /// One connection (`GetConnection`), without its password.
    pub async fn connection_document(&self, catalog: Option<&str>, name: &str) -> Result<Value, Error> {
        let catalog = catalog.map(str::to_owned);
        let request = self.inner.sdk.get_connection().set_catalog_id(catalog).name(name).hide_password(true);
        let document = self.document("GetConnection", format!("connection {name}"), captured!(request)).await?;
        Ok(member(document, "Connection"))
    }

    /// One job (`GetJob`).
    pub async fn job_document(&self, name: &str) -> Result<Value, Error> {
        let request = self.inner.sdk.get_job().job_name(name);
        let document = self.document("GetJob", format!("job {name}"), captured!(request)).await?;
        Ok(member(document, "Job"))
    }

    /// A page of the tables of a database (`GetTables`).
    pub async fn table_documents(&self, database: &str, token: Option<String>) -> Result<Page<Value>, Error> {
        let request = self.inner.sdk.get_tables().database_name(database).set_next_token(token);
        let document = self.document("GetTables", format!("database {database}"), captured!(request)).await?;
        let next = non_empty(document["NextToken"].as_str().map(str::to_owned));
        let Value::Array(items) = member(document, "TableList") else { return Ok(Page { items: Vec::new(), next }) };
        Ok(Page { items, next })
    }

    /// The graph that Glue makes of a Python script by the annotations in it (`GetDataflowGraph`).
    pub async fn dataflow_graph(&self, script: &str) -> Result<Value, Error> {
        let request = self.inner.sdk.get_dataflow_graph().python_script(script);
        self.document("GetDataflowGraph", "the script".to_owned(), captured!(request)).await
    }

    /// One trigger (`GetTrigger`).
    pub async fn trigger_document(&self, name: &str) -> Result<Value, Error> {
        let request = self.inner.sdk.get_trigger().name(name);
        let document = self.document("GetTrigger", format!("trigger {name}"), captured!(request)).await?;
        Ok(member(document, "Trigger"))
    }

    /// One run of a job (`GetJobRun`).
    pub async fn job_run_document(&self, job: &str, id: &str) -> Result<Value, Error> {
        let request = self.inner.sdk.get_job_run().job_name(job).run_id(id);
        let document = self.document("GetJobRun", format!("job {job} run {id}"), captured!(request)).await?;
        Ok(member(document, "JobRun"))
    }

    /// One crawl, or else the newest (`ListCrawls`); `None` where the history does not have it.
    pub async fn crawl_document(&self, crawler: &str, id: Option<&str>) -> Result<Option<Value>, Error> {
        let request = self.inner.sdk.list_crawls().crawler_name(crawler);
        let (request, object) = match id {
            None => (request.max_results(1), format!("crawler {crawler}")),
            Some(id) => {
                let filter = CrawlsFilter::builder().field_name(FieldName::CrawlId).filter_operator(FilterOperator::Eq);
                (request.filters(filter.field_value(id).build()), format!("crawler {crawler} crawl {id}"))
            }
        };
        let document = self.document("ListCrawls", object, captured!(request)).await?;
        let Value::Array(crawls) = member(document, "Crawls") else { return Ok(None) };
        Ok(crawls.into_iter().find(|crawl| id.is_none_or(|id| crawl["CrawlId"] == id)))
    }

    /// One run of a workflow (`GetWorkflowRun`), without its graph.
    pub async fn workflow_run_document(&self, workflow: &str, id: &str) -> Result<Value, Error> {
        let request = self.inner.sdk.get_workflow_run().name(workflow).run_id(id);
        let object = format!("workflow {workflow} run {id}");
        let document = self.document("GetWorkflowRun", object, captured!(request)).await?;
        Ok(member(document, "Run"))
    }

    /// Makes one call, and returns the body of its answer.
    async fn document<T, E, F>(
        &self,
        operation: &'static str,
        object: String,
        send: impl FnOnce(Capture) -> F,
    ) -> Result<Value, Error>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let capture = Capture::default();
        // Jobs may be visual.
        self.call(operation, object.clone(), Priority::Poll, on_large_stack(send(capture.clone()))).await?;
        let body = capture.0.lock().unwrap_or_else(PoisonError::into_inner);
        let incomplete = |_| errors::incomplete(operation, object, ErrorKind::Transient, "JSON document");
        serde_json::from_slice(&body).map_err(incomplete)
    }
}

/// A member of an answer; null where it is missing.
fn member(mut document: Value, name: &str) -> Value {
    document[name].take()
}

/// The list in an answer.
fn items(mut document: Value, collection: Collection) -> Vec<Value> {
    match document[collection.member()].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}
