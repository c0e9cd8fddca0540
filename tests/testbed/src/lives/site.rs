//! The place of one life: a namespace, and a region of Glue of its own, so that many lives share one of each.

use std::{future::Future, time::Duration};

use k8s_openapi::{
    ByteString,
    api::core::v1::{Namespace, Secret},
};
use kube::{
    Api, Client, Resource, ResourceExt as _,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams},
    core::DynamicObject,
};
use kube_glue_double::{CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Double, JobDefinition, TriggerTimes};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{CREDENTIALS, DATABASE, Kind, Life, MINUTE, OBJECT, Step, Until, objects, objects::Objects, outcome};
use crate::error::{Error, Result};

/// The pause before a request that failed is sent again, and between two looks at Glue.
const AGAIN: Duration = Duration::from_millis(100);

/// Glue, in the region of one life.
#[derive(Debug, Clone)]
pub struct Glue {
    /// The double.
    pub double: Double,
    /// The region.
    pub region: String,
}

impl Glue {
    /// Defines a job.
    pub fn define_job(&self, job: JobDefinition) {
        self.double.define_job(DEFAULT_ACCOUNT, &self.region, job);
    }

    /// Defines a crawler.
    pub fn define_crawler(&self, name: &str, script: CrawlScript) {
        // It has no schedule that could be invalid.
        let _ = self.double.define_crawler(DEFAULT_ACCOUNT, &self.region, CrawlerSettings::new(name), script);
    }

    /// Lets triggers change their state at once.
    pub fn without_trigger_times(&self) {
        let times = TriggerTimes {
            activating: Duration::ZERO,
            deactivating: Duration::ZERO,
            deleting: Duration::ZERO,
            ..TriggerTimes::default()
        };
        self.double.set_trigger_times(DEFAULT_ACCOUNT, &self.region, times);
    }

    /// Calls Glue as somebody else than the controller; null when Glue refuses.
    #[allow(clippy::must_use_candidate)]
    pub fn call(&self, operation: &str, body: &Value) -> Value {
        self.double.call(DEFAULT_ACCOUNT, &self.region, operation, body).unwrap_or_default()
    }
}

/// Where one life happens.
pub struct Site<'a> {
    /// As administrator.
    pub client: Client,
    /// The watch.
    pub objects: &'a Objects,
    /// The kind of the object.
    pub kind: &'static Kind,
    /// The namespace of the object, which has nothing else.
    pub namespace: String,
    /// Glue.
    pub glue: Glue,
    /// Whether the double's clock is held, so that [`Step::Pass`] steps it.
    pub clock_is_held: bool,
    /// How long each wait may take.
    pub limit: Duration,
}

/// A life that did not go on.
#[derive(Debug, Clone)]
pub struct Stuck {
    /// What it waited for, or what failed.
    pub at: String,
    /// The object.
    pub object: Value,
}

impl Site<'_> {
    /// Creates the namespace with its Secrets, and what the life needs of Glue.
    pub async fn prepare(&self, life: &Life) -> Result<()> {
        let named = |name: &str| ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let namespace = Namespace { metadata: named(&self.namespace), ..Namespace::default() };
        self.create(&Api::all(self.client.clone()), &namespace).await?;
        let key = self.glue.double.default_key();
        let credentials = [("AWS_ACCESS_KEY_ID", key.id.as_str()), ("AWS_SECRET_ACCESS_KEY", key.secret.as_str())];
        for (name, data) in [(CREDENTIALS, &credentials[..]), (DATABASE, &[("password", "first password")][..])] {
            let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString((*value).into())));
            let secret = Secret { metadata: named(name), data: Some(data.collect()), ..Secret::default() };
            self.create(&Api::namespaced(self.client.clone(), &self.namespace), &secret).await?;
        }
        (life.prepare)(&self.glue);
        Ok(())
    }

    /// Lets the object live. Returns the uids that it had.
    pub async fn live(&self, life: &Life) -> Result<Vec<String>, Stuck> {
        let mut uids = Vec::new();
        for (step, next) in life.steps.iter().zip(life.steps.iter().skip(1).map(Some).chain([None])) {
            // Where the clock runs, what is on the way to something else may not be seen.
            let is_on_the_way = matches!(step, Step::Wait(_)) && matches!(next, Some(Step::Wait(_) | Step::Pass));
            if is_on_the_way && !self.clock_is_held {
                continue;
            }
            let took = self.take(step, &mut uids).await;
            took.map_err(|at| Stuck { at, object: self.object() })?;
        }
        Ok(uids)
    }

    /// The object; null when there is none.
    #[must_use]
    pub fn object(&self) -> Value {
        self.objects.get(self.kind, &self.namespace, OBJECT)
    }

    /// What the life has come to.
    #[must_use]
    pub fn outcome(&self, uids: &[String]) -> outcome::Outcome {
        outcome::Outcome::of(&self.object(), &self.glue, &self.namespace, uids)
    }

    fn api(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &objects::resource(self.kind))
    }

    async fn take(&self, step: &Step, uids: &mut Vec<String>) -> Result<(), String> {
        let failed = |error: Error| error.to_string();
        match step {
            Step::Create(spec) => {
                let spec = merged(json!({ "region": self.glue.region }), spec.clone());
                let mut object = DynamicObject::new(OBJECT, &objects::resource(self.kind));
                object.data = json!({ "spec": spec });
                let created = self.create(&self.api(), &object).await.map_err(failed)?;
                uids.extend(created.uid());
            }
            Step::Patch(spec) => {
                let patch = Patch::Merge(json!({ "spec": spec }));
                let api = self.api();
                let (params, patch) = (&PatchParams::default(), &patch);
                self.again("changing the object", || api.patch(OBJECT, params, patch)).await.map_err(failed)?;
            }
            Step::Delete => {
                let api = self.api();
                let params = &DeleteParams::default();
                let deleted = self.again("deleting the object", || api.delete(OBJECT, params)).await;
                match deleted {
                    Err(Error::Kube { source, .. }) if is_code(&source, 404) => {}
                    outcome => drop(outcome.map_err(failed)?),
                }
            }
            Step::Rotate(password) => {
                let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
                let patch = Patch::Merge(json!({ "stringData": { "password": password } }));
                let (params, patch) = (&PatchParams::default(), &patch);
                self.again("changing a Secret", || secrets.patch(DATABASE, params, patch)).await.map_err(failed)?;
            }
            Step::Call(operation, body) => drop(self.glue.call(operation, body)),
            Step::Pass => {
                if self.clock_is_held {
                    self.glue.double.clock().step(MINUTE);
                }
            }
            Step::Wait(Until::InGlue(pointer, value)) => {
                let began = Instant::now();
                while outcome::in_glue(&self.glue).pointer(pointer).unwrap_or(&Value::Null) != value {
                    if began.elapsed() > self.limit {
                        return Err(format!("waiting until Glue has {value} at {pointer}"));
                    }
                    sleep(AGAIN).await;
                }
            }
            Step::Wait(until) => {
                let object = [self.namespace.as_str(), OBJECT];
                let waited = self.objects.wait(self.kind, object, self.limit, |object| until.holds(object)).await;
                waited.map_err(|_| format!("waiting for {until:?}"))?;
            }
        }
        Ok(())
    }

    /// Creates an object. One that is there already is that of an earlier request without an answer.
    async fn create<K>(&self, api: &Api<K>, object: &K) -> Result<K>
    where
        K: Resource + Clone + Serialize + DeserializeOwned + std::fmt::Debug,
    {
        let name = object.meta().name.clone().unwrap_or_default();
        let doing = format!("creating {name}");
        match self.again(&doing, || async { api.create(&PostParams::default(), object).await }).await {
            Err(Error::Kube { source, .. }) if is_code(&source, 409) => self.again(&doing, || api.get(&name)).await,
            outcome => outcome,
        }
    }

    /// Sends a request until the API server answers.
    async fn again<T, F: Future<Output = Result<T, kube::Error>>>(
        &self,
        doing: &str,
        request: impl Fn() -> F,
    ) -> Result<T> {
        let began = Instant::now();
        loop {
            match request().await {
                Err(kube::Error::Api(status)) if (400..500).contains(&status.code) && status.code != 429 => {
                    return Err(Error::kube(doing)(kube::Error::Api(status)));
                }
                Err(error) if began.elapsed() > self.limit => return Err(Error::kube(doing)(error)),
                Err(_) => sleep(AGAIN).await,
                Ok(answer) => return Ok(answer),
            }
        }
    }
}

fn is_code(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// `target` with the fields of `extra`, which replace its own.
#[must_use]
pub fn merged(mut target: Value, extra: Value) -> Value {
    if let (Value::Object(target), Value::Object(extra)) = (&mut target, extra) {
        target.extend(extra);
    }
    target
}
