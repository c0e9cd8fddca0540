//! The IAM policies of the page: one for each kind, a block of JSON whose only statement has the kind as its
//! `Sid`. They are held against what the controllers really call: each test's [`World`](crate::harness::World)
//! looks that nothing was called which the policies of its kinds do not allow, and the walk through the page
//! that nothing is allowed which is not called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use kube_glue_double::Requests;
use serde_json::Value;

use super::blocks::{self, Block};
use super::root;

static BY_KIND: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let policies = json(&blocks::all());
    policies.iter().map(|policy| (sid(policy), actions(policy).map(str::to_owned).collect())).collect()
});

/// The blocks of JSON.
pub fn json(blocks: &[Block]) -> Vec<Value> {
    let json = blocks.iter().filter(|block| block.language == "json");
    json.map(|block| serde_json::from_str(&block.text).expect("JSON")).collect()
}

/// Whether it says whom a role trusts, and not what somebody may do.
pub fn is_trust(policy: &Value) -> bool {
    !policy["Statement"][0]["Principal"].is_null()
}

fn sid(policy: &Value) -> String {
    policy["Statement"][0]["Sid"].as_str().unwrap_or_else(|| panic!("no Sid that names a kind: {policy}")).to_owned()
}

/// The actions of a policy's only statement.
pub fn actions(policy: &Value) -> impl Iterator<Item = &str> {
    let actions = &policy["Statement"][0]["Action"];
    let list = actions.as_array().map_or(std::slice::from_ref(actions), Vec::as_slice);
    list.iter().map(|action| action.as_str().expect("an action"))
}

/// What an identity needs for each kind, as `glue:StartJobRun`.
pub fn by_kind() -> &'static BTreeMap<String, BTreeSet<String>> {
    &BY_KIND
}

/// Whom the role of the samples trusts.
pub fn trust() -> Value {
    let page = std::fs::read_to_string(root().join("crds/samples/credentials/role-with-keys.md")).expect("the page");
    json(&blocks::of(&page)).into_iter().find(is_trust).expect("a trust policy")
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
