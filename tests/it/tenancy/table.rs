//! Who may use what: what each line asks for is tried end to end in two namespaces, the owner's and a tenant's,
//! under each of the operator's lists, with two accounts behind one STS.

use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, JobDefinition};
use serde_json::{Value, json};

use super::controller::file;
use super::{OTHERS, ROLE, two_accounts};
use crate::harness::{REGION, World, merged, quick, uid};

/// What comes of an object.
#[derive(Clone, Copy, Debug)]
enum Comes {
    /// It runs in this account, as a principal whose ARN ends so.
    Runs(&'static str, &'static str),
    /// Nothing is called for it; reason and words of the condition.
    Refused(&'static str, &'static str),
    /// STS was asked, and refused.
    RefusedBySts,
}
use Comes::{Refused, RefusedBySts, Runs};

/// What an object asks for.
struct Line {
    name: &'static str,
    /// What its Secret holds beside keys of the namespace's own (nothing: it names no Secret).
    secret: Option<Vec<(&'static str, String)>>,
    /// What it says beside the Secret.
    says: Value,
    owner: Comes,
    tenant: Comes,
}

fn line(
    name: &'static str,
    secret: Option<&[(&'static str, &str)]>,
    says: Value,
    (owner, tenant): (Comes, Comes),
) -> Line {
    let secret = secret.map(|data| data.iter().map(|(key, value)| (*key, (*value).to_owned())).collect());
    Line { name, secret, says, owner, tenant }
}

/// Two namespaces with one controller, and two accounts.
struct Table {
    owner: World,
    tenant: World,
    /// Another Glue, where nobody may be sent.
    elsewhere: Double,
}

impl Table {
    async fn new() -> Self {
        let tenant = World::without_controller("tenant").await;
        let mut owner = two_accounts("owner", |role| role).await;
        // The role opens to the owner's namespace only, whoever assumes it.
        let role = kube_glue_double::Role::new(ROLE).trusts(DEFAULT_ACCOUNT);
        owner.double.define_role(role.requires_tag("kube-glue-namespace", &owner.namespace));
        owner.double.define_job(OTHERS, REGION, JobDefinition::new("etl").max_concurrent_runs(99).script(quick()));
        let iam = owner.double.iam().clone();
        let controller = iam.new_access_key(DEFAULT_ACCOUNT, "controller");
        let data = iam.new_access_key(DEFAULT_ACCOUNT, "data");
        let profile = format!("[data]\naws_access_key_id = {}\naws_secret_access_key = {}\n", data.id, data.secret);
        let profile = file(&owner, "credentials", &profile);
        owner.aws.extend([
            ("AWS_ACCESS_KEY_ID", controller.id),
            ("AWS_SECRET_ACCESS_KEY", controller.secret),
            ("AWS_SHARED_CREDENTIALS_FILE", profile),
            ("AWS_CONFIG_FILE", file(&owner, "config", "")),
        ]);
        let namespaces = format!("{},{}", owner.namespace, tenant.namespace);
        owner.set(&[("--namespaces", &namespaces)]);
        Self { owner, tenant, elsewhere: Double::start().await.expect("another double") }
    }

    /// Tries the lines under these lists of the operator.
    async fn hold(&mut self, lists: &str, flags: &[(&str, &str)], lines: &[Line]) {
        let none = ["controller-identity-namespaces", "allowed-roles", "allowed-profiles", "allowed-endpoints"];
        for flag in none {
            self.owner.set(&[(&format!("--{flag}"), "")]);
        }
        self.owner.set(flags);
        self.owner.start_controller();
        let sides = [(&self.owner, "owner"), (&self.tenant, "tenant")];
        // The tenant's lines first: whatever is called in the other account by then, a tenant has called.
        for (world, user) in sides.iter().rev() {
            let key = self.owner.double.iam().new_access_key(DEFAULT_ACCOUNT, user);
            let mut runs = Vec::new();
            for line in lines {
                let name = format!("{lists}-{}", line.name);
                let mut says = line.says.clone();
                if let Some(more) = &line.secret {
                    let keys = [("AWS_ACCESS_KEY_ID", key.id.as_str()), ("AWS_SECRET_ACCESS_KEY", &key.secret)];
                    let more = more.iter().map(|(key, value)| (*key, value.as_str()));
                    world.put_secret(&name, &keys.into_iter().chain(more).collect::<Vec<_>>()).await;
                    says = merged(json!({"secretName": name}), says);
                }
                runs.push((line, world.run(&name, "etl", json!({"credentials": says})).await));
            }
            for (line, run) in &runs {
                let comes = if *user == "owner" { line.owner } else { line.tenant };
                self.check(world, &format!("{lists}-{}", line.name), &uid(run), comes).await;
            }
            if *user == "tenant" {
                let there = self.owner.double.requests().all().account(OTHERS).count();
                assert_eq!(there, 0, "{lists}: a tenant's call reached the other account");
            }
        }
        assert_eq!(self.elsewhere.requests().total(), 0, "{lists}: something was sent elsewhere");
        self.owner.kill_controller();
        self.owner.double.requests().clear();
    }

    async fn check(&self, world: &World, name: &str, uid: &str, comes: Comes) {
        let started = || {
            let starts = self.owner.double.requests().of("StartJobRun");
            let is_its = |key: Value| key.as_str().is_some_and(|key| key.starts_with(uid));
            starts.matching(|start| start.field("Arguments/--kube-glue-run").is_some_and(is_its))
        };
        match comes {
            Runs(account, principal) => {
                world.over(name, Phase::Succeeded).await;
                let starts = started();
                let [start] = &starts[..] else { panic!("{name}: {starts:?}") };
                assert_eq!(&*start.call.account, account, "{name}");
                assert!(start.call.principal.contains(principal), "{name}: {}", start.call.principal);
            }
            Refused(reason, words) => {
                let message = world.reason(name, reason).await;
                assert!(message.contains(words), "{name}: {message}");
                assert_eq!(started().count(), 0, "{name}");
            }
            RefusedBySts => {
                let message = world.reason(name, "AccessDenied").await;
                assert!(message.contains("AssumeRole") && message.contains(ROLE), "{name}: {message}");
                assert_eq!(started().count(), 0, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn who_may_use_what() {
    let mut table = Table::new().await;
    let url = table.elsewhere.url();
    let assume = || json!({"assumeRole": {"roleArn": ROLE}});
    let mine = |user| Runs(DEFAULT_ACCOUNT, user);
    let theirs = Runs(OTHERS, "assumed-role/etl/");
    let role = [("AWS_ROLE_ARN", ROLE)];
    let no_role = |words| Refused("RoleNotAllowed", words);
    let both = |comes| (comes, comes);
    let missing = Refused("CredentialsMissing", "the controller's own identity is not allowed for this namespace");
    let no_profile = Refused("ProfileNotAllowed", "--allowed-profiles");
    let no_endpoint = |key| Refused("EndpointNotAllowed", key);
    let owner_secret = json!({"secretName": "owners"});
    let key = table.owner.double.iam().new_access_key(DEFAULT_ACCOUNT, "owners");
    table.owner.put_secret("owners", &[("AWS_ACCESS_KEY_ID", &key.id), ("AWS_SECRET_ACCESS_KEY", &key.secret)]).await;

    // The owner is on every list, the tenant on none.
    let lines = [
        line("keys", Some(&[]), json!({}), (mine("user/owner"), mine("user/tenant"))),
        line("none", None, json!({}), (mine("user/controller"), missing)),
        line(
            "secret-of-owner",
            None,
            owner_secret.clone(),
            (mine("user/owners"), Refused("SecretNotFound", "/owners does not exist")),
        ),
        line("secret-elsewhere", None, json!({"secretName": "nobodys"}), both(Refused("SecretNotFound", "nobodys"))),
        line("role-in-secret", Some(&role), json!({}), (theirs, no_role("--allowed-roles"))),
        line("role-in-spec", Some(&[]), assume(), (theirs, no_role(ROLE))),
        line("role-alone", None, assume(), (theirs, missing)),
        line(
            "role-not-listed",
            Some(&[("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/other")]),
            json!({}),
            both(no_role("role/other")),
        ),
        line("profile", None, json!({"profile": "data"}), (mine("user/data"), no_profile)),
        line("profile-not-listed", None, json!({"profile": "other"}), both(no_profile)),
        line("endpoint", Some(&[("AWS_ENDPOINT_URL", &url)]), json!({}), both(no_endpoint("AWS_ENDPOINT_URL of"))),
        line("glue", Some(&[("AWS_ENDPOINT_URL_GLUE", &url)]), json!({}), both(no_endpoint("AWS_ENDPOINT_URL_GLUE"))),
        line("sts", Some(&[("AWS_ENDPOINT_URL_STS", &url)]), json!({}), both(no_endpoint("AWS_ENDPOINT_URL_STS"))),
        line(
            "partition",
            Some(&[("AWS_ROLE_ARN", "arn:aws-cn:iam::222222222222:role/etl")]),
            json!({}),
            both(Refused("SecretInvalid", "partition")),
        ),
        line(
            "nameless",
            Some(&[]),
            json!({"assumeRole": {"externalId": "xy"}}),
            both(Refused("RoleMissing", "roleArn")),
        ),
    ];
    let flags = [
        ("--controller-identity-namespaces", "owner-*"),
        ("--allowed-roles", "owner-*=*:role/etl"),
        ("--allowed-profiles", "owner-*=data"),
        ("--allowed-endpoints", ".vpce.amazonaws.com"),
    ];
    table.hold("listed", &flags, &lines).await;

    // All may use the controller's identity; that does not make them the owner.
    let lines = [
        line("none", None, json!({}), both(mine("user/controller"))),
        line("role-alone", None, assume(), (theirs, no_role("with the controller's credentials"))),
        line("role-in-spec", Some(&[]), assume(), (theirs, no_role(ROLE))),
        line("profile", None, json!({"profile": "data"}), both(no_profile)),
    ];
    let flags = [("--controller-identity-namespaces", "*"), ("--allowed-roles", "owner-*=*:role/etl")];
    table.hold("identity", &flags, &lines).await;

    // Both are on the list of the role; the session's tag, which nobody can set but the controller, tells them apart.
    let lines = [
        line("role-in-secret", Some(&role), json!({}), (theirs, RefusedBySts)),
        line("role-alone", None, assume(), (theirs, RefusedBySts)),
        line(
            "role-tagged",
            Some(&[]),
            json!({"assumeRole": {"roleArn": ROLE, "sessionTags": {"namespace": "owner"}}}),
            (theirs, RefusedBySts),
        ),
    ];
    let flags = [("--controller-identity-namespaces", "*"), ("--allowed-roles", "*=*:role/etl")];
    table.hold("tags", &flags, &lines).await;

    // The defaults: nobody is on any list.
    let lines = [
        line("keys", Some(&[]), json!({}), (mine("user/owner"), mine("user/tenant"))),
        line("none", None, json!({}), both(missing)),
        line(
            "secret-of-owner",
            None,
            owner_secret,
            (mine("user/owners"), Refused("SecretNotFound", "/owners does not exist")),
        ),
        line("role-in-secret", Some(&role), json!({}), (theirs, RefusedBySts)),
        line("role-alone", None, assume(), both(missing)),
        line("profile", None, json!({"profile": "data"}), both(no_profile)),
        line("endpoint", Some(&[("AWS_ENDPOINT_URL", &url)]), json!({}), both(no_endpoint("--allowed-endpoints"))),
    ];
    table.hold("default", &[], &lines).await;

    // Who has been in the other account was there as the owner.
    let sessions = table.owner.double.iam().sessions(ROLE);
    let tag = ("kube-glue-namespace".to_owned(), table.owner.namespace.clone());
    assert!(!sessions.is_empty() && sessions.iter().all(|session| session.tags.contains(&tag)), "{sessions:?}");
}
