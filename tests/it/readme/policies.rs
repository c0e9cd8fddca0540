//! The IAM policies of the page: one for each kind, a block of JSON whose only statement has the kind as its
//! `Sid`. They are held against what the controllers really call: each test's [`World`](crate::world::World)
//! looks that nothing was called which the policies of its kinds do not allow, and the walk through the page
//! that nothing is allowed which is not called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use kube_glue_double::Requests;
use serde_json::Value;

use super::blocks;

static BY_KIND: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let policies = json().into_iter().filter(|policy| policy["Statement"][0]["Principal"].is_null());
    policies.map(|policy| (sid(&policy), actions(&policy).map(str::to_owned).collect())).collect()
});

fn json() -> Vec<Value> {
    let all = blocks::all();
    let json = all.iter().filter(|block| block.language == "json");
    json.map(|block| serde_json::from_str(&block.text).expect("JSON")).collect()
}

fn sid(policy: &Value) -> String {
    policy["Statement"][0]["Sid"].as_str().unwrap_or_else(|| panic!("no Sid that names a kind: {policy}")).to_owned()
}

/// The actions of a policy's only statement.
pub fn actions(policy: &Value) -> impl Iterator<Item = &str> {
    let actions = policy["Statement"][0]["Action"].as_array().expect("a list");
    actions.iter().map(|action| action.as_str().expect("an action"))
}

/// What an identity needs for each kind, as `glue:StartJobRun`.
pub fn by_kind() -> &'static BTreeMap<String, BTreeSet<String>> {
    &BY_KIND
}

/// Whom a role trusts.
pub fn trust() -> Value {
    json().into_iter().find(|policy| !policy["Statement"][0]["Principal"].is_null()).expect("a trust policy")
}

/// What controllers with these logs (at trace level) called, and the policies of their kinds do not allow.
pub fn beyond(logs: &str, requests: &Requests) -> BTreeSet<String> {
    let lived = by_kind().iter().filter(|(kind, _)| logs.contains(&format!("object.ref={kind}.")));
    let allowed: BTreeSet<&String> = lived.flat_map(|(_, actions)| actions).collect();
    let all = requests.all();
    let calls = all.iter().filter(|request| request.call.service == "glue");
    let called: BTreeSet<_> = calls.map(|request| format!("glue:{}", request.call.operation)).collect();
    called.into_iter().filter(|action| !allowed.contains(action)).collect()
}

#[test]
fn every_kind_has_its_policy() {
    let kinds: BTreeSet<_> = kube_glue::api::crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    assert_eq!(by_kind().keys().cloned().collect::<BTreeSet<_>>(), kinds);
}
