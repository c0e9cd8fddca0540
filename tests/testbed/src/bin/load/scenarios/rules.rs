//! What the CEL rules of a GlueJobRun cost the API server: it evaluates them at each write, of a status too.
//!
//! A single rule costs less than two measurements differ by chance, so a schema has it many times. Only CPU time is
//! compared, which other programs disturb less than times and rates.

use std::time::{Duration, Instant};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube_glue_testbed::Error;
use serde_json::{Value, json};

use super::{Context, count};
use crate::{
    error::LoadError,
    progress::say,
    row::{Row, Unit},
    world::{OBJECTS, Setup, World, objects},
};

pub(super) const NAME: &str = "rules";
/// The CRD of GlueJobRuns.
const CRD: &str = "gluejobruns.kube-glue.dev";
/// The field of a schema that holds rules.
const RULES: &str = "x-kubernetes-validations";
/// Where the rules of the spec are.
const SPEC: &str = "/0/schema/openAPIV3Schema/properties/spec";
/// How often the schemas with all rules and with none are measured, in turn, so that what drifts does so for both.
const ROUNDS: u32 = 3;
/// How often a schema has the rule that is measured by itself, where the API server takes so many.
const COPIES: usize = 32;
/// How many rules have a row, the dearest first.
const SHOWN: usize = 5;
/// How long the API server may take to serve a changed schema.
const LIMIT: Duration = Duration::from_secs(30);

/// A rule, and the schema in which it stands, as a JSON pointer.
struct Rule {
    at: String,
    rule: Value,
}

impl Rule {
    /// What it is about.
    fn name(&self) -> String {
        let message = self.rule["message"].as_str().or(self.rule["rule"].as_str()).unwrap_or_default();
        message.chars().take(60).collect()
    }
}

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let world = context.world(Setup::USUAL).await?;
    let mut schemas = Schemas::of(context, &world).await?;
    let mut rules = Vec::new();
    let (shipped, mut bare) = (schemas.shipped.clone(), schemas.shipped.clone());
    strip(&mut bare, "", &mut rules);
    let mut cpu = [0.0; 2];
    for _ in 0..ROUNDS {
        for (mean, versions) in cpu.iter_mut().zip([&bare, &shipped]) {
            let measured = schemas.cpu(versions).await?;
            *mean += measured.ok_or_else(|| LoadError::Outcome("the API server refused the CRD".to_owned()))?;
        }
    }
    let [without, with] = cpu.map(|sum| sum / f64::from(ROUNDS));
    let mut costs = Vec::with_capacity(rules.len());
    for (nth, rule) in rules.iter().enumerate() {
        say(&format!("  rule {} of {}: {}", nth + 1, rules.len(), rule.name()));
        costs.push((schemas.cost(&bare, rule, without).await?, rule.name()));
    }
    costs.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let row = |measure: String, value| context.row(NAME, measure, value, Unit::Milliseconds);
    let all = row("CPU time of the API server for a status patch".to_owned(), with);
    let mut rows = vec![all.against("without rules", without).note(format!("{} rules", rules.len()))];
    rows.extend(costs.into_iter().take(SHOWN).map(|(cost, name)| row(format!("one rule: {name}"), cost)));
    Ok(rows)
}

/// The schemas that the API server is given, one after the other.
struct Schemas<'a> {
    context: &'a Context,
    world: &'a World,
    crds: Api<DynamicObject>,
    /// The versions of the CRD as they are shipped.
    shipped: Value,
    /// How many were served.
    served: usize,
}

impl<'a> Schemas<'a> {
    async fn of(context: &'a Context, world: &'a World) -> Result<Self, LoadError> {
        let resource = ApiResource::erase::<CustomResourceDefinition>(&());
        let crds: Api<DynamicObject> = Api::all_with(world.admin.clone(), &resource);
        let crd = crds.get(CRD).await.map_err(Error::kube("reading the CRD"))?;
        Ok(Self { context, world, crds, shipped: crd.data["spec"]["versions"].clone(), served: 0 })
    }

    /// The milliseconds of one rule, from a schema that has it many times and one without rules.
    async fn cost(&mut self, bare: &Value, rule: &Rule, without: f64) -> Result<f64, LoadError> {
        let mut copies = COPIES;
        loop {
            let mut versions = bare.clone();
            if let Some(schema) = versions.pointer_mut(&rule.at) {
                schema[RULES] = Value::Array(vec![rule.rule.clone(); copies]);
            }
            match self.cpu(&versions).await? {
                Some(cpu) => return Ok((cpu - without) / count(copies)),
                // The API server bounds what all rules of a schema may cost together, by its own estimate.
                None if copies > 1 => copies /= 2,
                None => return Err(LoadError::Outcome(format!("the API server refused the rule: {}", rule.name()))),
            }
        }
    }

    /// The API server's milliseconds of CPU time for a status patch with these versions of the CRD; none if it refuses them.
    async fn cpu(&mut self, versions: &Value) -> Result<Option<f64>, LoadError> {
        self.served += 1;
        let marker = format!("marker-{}", self.served);
        let mut versions = versions.clone();
        let rule = json!({ "rule": format!("self.jobName != '{marker}'"), "message": "the schema is served" });
        match versions.pointer_mut(SPEC).map(|spec| &mut spec[RULES]) {
            Some(Value::Array(rules)) => rules.push(rule),
            Some(rules) => *rules = json!([rule]),
            None => return Err(LoadError::Outcome("the CRD has no schema of a spec".to_owned())),
        }
        let patch = Patch::Merge(json!({ "spec": { "versions": versions } }));
        match self.crds.patch(CRD, &PatchParams::default(), &patch).await {
            Err(kube::Error::Api(status)) if status.code == 422 => return Ok(None),
            patched => patched.map_err(Error::kube("patching the CRD"))?,
        };
        self.wait_until_served(&marker).await?;
        Ok(Some(self.context.baseline(self.world).await?.cpu * 1000.0))
    }

    /// Waits until the API server refuses an object by the rule that marks a schema.
    async fn wait_until_served(&self, marker: &str) -> Result<(), LoadError> {
        let runs = objects::runs(self.world.admin.clone(), OBJECTS);
        let refused = objects::run("refused", &json!({ "jobName": marker }))?;
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        let began = Instant::now();
        while runs.create(&dry_run, &refused).await.is_ok() {
            if began.elapsed() > LIMIT {
                return Err(LoadError::Outcome(format!("the changed schema was not served within {LIMIT:?}")));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }
}

/// Removes all rules from a schema, and returns them. `at` is where it stands.
fn strip(schema: &mut Value, at: &str, rules: &mut Vec<Rule>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(removed)) = fields.remove(RULES) {
                rules.extend(removed.into_iter().map(|rule| Rule { at: at.to_owned(), rule }));
            }
            for (name, field) in fields {
                strip(field, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), rules);
            }
        }
        Value::Array(items) => {
            for (nth, item) in items.iter_mut().enumerate() {
                strip(item, &format!("{at}/{nth}"), rules);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_where_they_stand() {
        let schema = json!([{ "properties": { "a/b": { RULES: [{ "rule": "x" }, { "rule": "y" }] } }, RULES: [{}] }]);
        let (mut bare, mut rules) = (schema.clone(), Vec::new());
        strip(&mut bare, "", &mut rules);
        assert_eq!(bare, json!([{ "properties": { "a/b": {} } }]));
        let found: Vec<_> = rules.iter().map(|rule| schema.pointer(&rule.at).unwrap()[RULES].clone()).collect();
        assert_eq!(found.len(), 3);
        assert!(rules.iter().zip(&found).all(|(rule, found)| found.as_array().unwrap().contains(&rule.rule)));
    }
}
