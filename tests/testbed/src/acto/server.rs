//! Requests to the API server about objects of one kind in one namespace.

use hyper::http::{Method, Request};
use kube::Client;
use serde_json::{Value, json};

use crate::{
    error::{Error, Result},
    lives::{Kind, OBJECT},
};

/// The API server, for one kind in one namespace.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
    kind: &'static Kind,
    namespace: String,
}

/// What the API server says to a spec: nothing, or why it refuses it.
pub(super) type Verdict = Option<String>;

impl Server {
    pub(super) fn new(client: Client, kind: &'static Kind, namespace: &str) -> Self {
        Self { client, kind, namespace: namespace.to_owned() }
    }

    /// The schema of the spec.
    pub(super) async fn schema(&self) -> Result<Value> {
        let path =
            format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}.kube-glue.dev", self.kind.plural);
        let definition = self.send(Method::GET, &path, None).await?.unwrap_or_default();
        Ok(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone())
    }

    /// Whether it would create an object with this spec.
    pub(super) async fn would_create(&self, spec: &Value) -> Result<Verdict> {
        self.judge(Method::POST, "?dryRun=All&fieldValidation=Strict", spec).await
    }

    /// Creates the object.
    pub(super) async fn create(&self, spec: &Value) -> Result<Verdict> {
        self.judge(Method::POST, "?fieldValidation=Strict", spec).await
    }

    /// Whether it would give the object this spec.
    pub(super) async fn would_replace(&self, spec: &Value) -> Result<Verdict> {
        let read = self.send(Method::GET, &self.path(&format!("/{OBJECT}")), None).await?.unwrap_or_default();
        let body = self.object(spec, &read["metadata"]["resourceVersion"]);
        let path = self.path(&format!("/{OBJECT}?dryRun=All&fieldValidation=Strict"));
        Ok(self.send(Method::PUT, &path, Some(&body)).await?.err())
    }

    /// Deletes the object, which nobody holds.
    pub(super) async fn delete(&self) -> Result<()> {
        self.send(Method::DELETE, &self.path(&format!("/{OBJECT}")), None).await.map(drop)
    }

    async fn judge(&self, method: Method, query: &str, spec: &Value) -> Result<Verdict> {
        let body = self.object(spec, &Value::Null);
        Ok(self.send(method, &self.path(query), Some(&body)).await?.err())
    }

    fn object(&self, spec: &Value, version: &Value) -> Value {
        let mut metadata = json!({ "name": OBJECT });
        if !version.is_null() {
            metadata["resourceVersion"] = version.clone();
        }
        json!({ "apiVersion": "kube-glue.dev/v1alpha1", "kind": self.kind.kind, "metadata": metadata, "spec": spec })
    }

    fn path(&self, rest: &str) -> String {
        format!("/apis/kube-glue.dev/v1alpha1/namespaces/{}/{}{rest}", self.namespace, self.kind.plural)
    }

    /// The answer, or the message of a refusal.
    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<std::result::Result<Value, String>> {
        let doing = || format!("{method} {path}");
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder().method(&method).uri(path).header("content-type", "application/json");
        let invalid = |error| Error::io(doing())(std::io::Error::other(error));
        let request = request.body(text.into_bytes()).map_err(invalid)?;
        match self.client.request::<Value>(request).await {
            Ok(answer) => Ok(Ok(answer)),
            Err(kube::Error::Api(status)) if (400..500).contains(&status.code) && status.code != 429 => {
                Ok(Err(status.message.clone()))
            }
            Err(error) => Err(Error::kube(doing())(error)),
        }
    }
}
