//! The IAM policies of docs/credentials.md: one for each kind, a block of JSON whose first statement has the kind as its
//! `Sid`. Each test's [`TestEnv`](crate::harness::TestEnv) checks that the controllers called nothing that the policies of
//! their kinds do not allow; the walk through the pages checks that every allowed action is called.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use kube_glue_double::Requests;
use serde_json::Value;

use super::blocks::{self, Block};
use super::{CREDENTIALS, LINEAGE, PLUGIN};

static BY_KIND: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let policies = json(&blocks::in_page(CREDENTIALS));
    policies.iter().map(|policy| (sid(policy), actions(policy).map(str::to_owned).collect())).collect()
});

/// The blocks of JSON.
pub fn json(blocks: &[Block]) -> Vec<Value> {
    let json = blocks.iter().filter(|block| block.language == "json");
    json.map(|block| serde_json::from_str(&block.text).expect("JSON")).collect()
}

/// Whether it is a role's trust policy, and not a policy of permissions.
pub fn is_trust(policy: &Value) -> bool {
    !policy["Statement"][0]["Principal"].is_null()
}

fn sid(policy: &Value) -> String {
    policy["Statement"][0]["Sid"].as_str().unwrap_or_else(|| panic!("no Sid that names a kind: {policy}")).to_owned()
}

/// The actions of a policy.
pub fn actions(policy: &Value) -> impl Iterator<Item = &str> {
    let statements = policy["Statement"].as_array().expect("statements");
    let actions = statements.iter().flat_map(|statement| {
        let actions = &statement["Action"];
        actions.as_array().map_or(std::slice::from_ref(actions), Vec::as_slice)
    });
    actions.map(|action| action.as_str().expect("an action"))
}

/// The actions that an identity needs for each kind, as `glue:StartJobRun`.
pub fn by_kind() -> &'static BTreeMap<String, BTreeSet<String>> {
    &BY_KIND
}

/// The actions that the plugin's page allows to whoever uses its commands that ask AWS.
pub fn of_plugin() -> BTreeSet<String> {
    json(&blocks::in_page(PLUGIN)).iter().flat_map(actions).map(str::to_owned).collect()
}

/// The actions that the page about lineage allows to the identities of runs, where the operator has named a receiver.
pub fn of_lineage() -> BTreeSet<String> {
    json(&blocks::in_page(LINEAGE)).iter().flat_map(actions).map(str::to_owned).collect()
}

/// The trust policy of the role of the samples.
pub fn trust() -> Value {
    let blocks = blocks::in_page("docs/credentials/role-with-keys.md");
    json(&blocks).into_iter().find(is_trust).expect("a trust policy")
}

/// The actions that controllers with these logs (at trace level) called and the policies of their kinds do not allow.
pub fn beyond(logs: &str, requests: &Requests) -> BTreeSet<String> {
    let at_work = by_kind().iter().filter(|(kind, _)| logs.contains(&format!("reconcile{{kind=\"{kind}\"")));
    let of_lineage = if logs.contains("lineage is sent to") { of_lineage() } else { BTreeSet::new() };
    let allowed: BTreeSet<&String> = at_work.flat_map(|(_, actions)| actions).chain(&of_lineage).collect();
    let all = requests.all();
    let calls = all.iter().filter(|request| request.call.service != "sts");
    let called: BTreeSet<_> =
        calls.map(|request| format!("{}:{}", request.call.service, request.call.operation)).collect();
    called.into_iter().filter(|action| !allowed.contains(action)).collect()
}

#[test]
fn every_kind_has_a_policy() {
    let kinds: BTreeSet<_> = kube_glue::api::crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    assert_eq!(by_kind().keys().cloned().collect::<BTreeSet<_>>(), kinds);
}
