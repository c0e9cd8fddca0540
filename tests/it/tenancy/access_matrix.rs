//! The access matrix: each kind of credentials is tried in an owner's and in a tenant's namespace, with several
//! settings of the operator's allow lists and two AWS accounts.

use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, JobDefinition};
use serde_json::{Value, json};

use super::{OTHER_ACCOUNT, ROLE, two_accounts, write_file};
use crate::harness::{REGION, TestEnv, access_key_data, merged, quick, uid};

/// The expected result of an object.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// It runs in this account, with a principal whose ARN contains this.
    Runs(&'static str, &'static str),
    /// No call is made for it; reason and a part of the message of its Ready condition.
    Rejected(&'static str, &'static str),
    /// STS rejects AssumeRole.
    RejectedBySts,
}
use Outcome::{Rejected, RejectedBySts, Runs};

/// One object in each of the two namespaces.
struct Case {
    name: &'static str,
    /// Data of its Secret in addition to an access key. Without this it names no Secret.
    secret: Option<Vec<(&'static str, String)>>,
    /// Fields of `spec.credentials` in addition to the Secret.
    credentials: Value,
    owner: Outcome,
    tenant: Outcome,
}

fn case(
    name: &'static str,
    secret: Option<&[(&'static str, &str)]>,
    credentials: Value,
    (owner, tenant): (Outcome, Outcome),
) -> Case {
    let secret = secret.map(|data| data.iter().map(|(key, value)| (*key, (*value).to_owned())).collect());
    Case { name, secret, credentials, owner, tenant }
}

/// Two namespaces with one controller, and two accounts.
struct Matrix {
    owner: TestEnv,
    tenant: TestEnv,
    /// Another AWS, which must receive no request.
    foreign: Double,
}

impl Matrix {
    async fn new() -> Self {
        let tenant = TestEnv::without_controller("tenant").await;
        let mut owner = two_accounts("owner", |role| role).await;
        // The role trusts only sessions that are tagged with the owner's namespace.
        let role = kube_glue_double::Role::new(ROLE).trusts(DEFAULT_ACCOUNT);
        owner.double.define_role(role.requires_tag("kube-glue-namespace", &owner.namespace));
        owner.double.define_job(
            OTHER_ACCOUNT,
            REGION,
            JobDefinition::new("etl").max_concurrent_runs(99).script(quick()),
        );
        let iam = owner.double.iam().clone();
        let controller = iam.new_access_key(DEFAULT_ACCOUNT, "controller");
        let data = iam.new_access_key(DEFAULT_ACCOUNT, "data");
        let profile = format!("[data]\naws_access_key_id = {}\naws_secret_access_key = {}\n", data.id, data.secret);
        let profile = write_file(&owner, "credentials", &profile);
        owner.aws.extend([
            ("AWS_ACCESS_KEY_ID", controller.id),
            ("AWS_SECRET_ACCESS_KEY", controller.secret),
            ("AWS_SHARED_CREDENTIALS_FILE", profile),
            ("AWS_CONFIG_FILE", write_file(&owner, "config", "")),
        ]);
        let namespaces = format!("{},{}", owner.namespace, tenant.namespace);
        owner.set_flags(&[("--namespaces", &namespaces)]);
        Self { owner, tenant, foreign: Double::start().await.expect("another double") }
    }

    /// Checks the cases with these allow lists. `lists` is a prefix for the names of objects and Secrets.
    async fn check_all(&mut self, lists: &str, flags: &[(&str, &str)], cases: &[Case]) {
        let empty = ["controller-identity-namespaces", "allowed-roles", "allowed-profiles", "allowed-endpoints"];
        for flag in empty {
            self.owner.set_flags(&[(&format!("--{flag}"), "")]);
        }
        self.owner.set_flags(flags);
        self.owner.start_controller();
        let sides = [(&self.owner, "owner"), (&self.tenant, "tenant")];
        // The tenant's objects come first, so that any call in the other account until then is a tenant's.
        for (env, user) in sides.iter().rev() {
            let key = self.owner.double.iam().new_access_key(DEFAULT_ACCOUNT, user);
            let mut runs = Vec::new();
            for case in cases {
                let name = format!("{lists}-{}", case.name);
                let mut credentials = case.credentials.clone();
                if let Some(more) = &case.secret {
                    let keys = access_key_data(&key.id, &key.secret);
                    let more = more.iter().map(|(key, value)| (*key, value.as_str()));
                    env.put_secret(&name, &keys.into_iter().chain(more).collect::<Vec<_>>()).await;
                    credentials = merged(json!({"secretName": name}), credentials);
                }
                runs.push((case, env.create_run(&name, "etl", json!({"credentials": credentials})).await));
            }
            for (case, run) in &runs {
                let outcome = if *user == "owner" { case.owner } else { case.tenant };
                self.check(env, &format!("{lists}-{}", case.name), &uid(run), outcome).await;
            }
            if *user == "tenant" {
                let calls = self.owner.double.requests().all().account(OTHER_ACCOUNT).count();
                assert_eq!(calls, 0, "{lists}: a tenant's call reached the other account");
            }
        }
        assert_eq!(self.foreign.requests().total(), 0, "{lists}: a request reached the foreign endpoint");
        self.owner.kill_controller();
        self.owner.double.requests().clear();
    }

    async fn check(&self, env: &TestEnv, name: &str, uid: &str, outcome: Outcome) {
        let start_calls = || {
            let starts = self.owner.double.requests().of("StartJobRun");
            let own = format!("{}/{uid}/", env.namespace);
            let is_own = |key: Value| key.as_str().is_some_and(|key| key.starts_with(&own));
            starts.matching(|start| start.field("Arguments/--kube-glue-run").is_some_and(is_own))
        };
        match outcome {
            Runs(account, principal) => {
                env.wait_finished(name, Phase::Succeeded).await;
                let starts = start_calls();
                let [start] = &starts[..] else { panic!("{name}: {starts:?}") };
                assert_eq!(&*start.call.account, account, "{name}");
                assert!(start.call.principal.contains(principal), "{name}: {}", start.call.principal);
            }
            Rejected(reason, text) => {
                let message = env.wait_for_reason(name, reason).await;
                assert!(message.contains(text), "{name}: {message}");
                assert_eq!(start_calls().count(), 0, "{name}");
            }
            RejectedBySts => {
                let message = env.wait_for_reason(name, "AccessDenied").await;
                assert!(message.contains("AssumeRole") && message.contains(ROLE), "{name}: {message}");
                assert_eq!(start_calls().count(), 0, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn each_namespace_can_use_only_the_credentials_it_is_allowed_to() {
    let mut matrix = Matrix::new().await;
    let url = matrix.foreign.url();
    let assume = || json!({"assumeRole": {"roleArn": ROLE}});
    let own = |user| Runs(DEFAULT_ACCOUNT, user);
    let other_account = Runs(OTHER_ACCOUNT, "assumed-role/etl/");
    let role = [("AWS_ROLE_ARN", ROLE)];
    let no_role = |text| Rejected("RoleNotAllowed", text);
    let both = |outcome| (outcome, outcome);
    let missing = Rejected("CredentialsMissing", "the controller's own identity is not allowed for this namespace");
    let no_profile = Rejected("ProfileNotAllowed", "--allowed-profiles");
    let no_endpoint = |key| Rejected("EndpointNotAllowed", key);
    let owner_secret = json!({"secretName": "owners"});
    let key = matrix.owner.double.iam().new_access_key(DEFAULT_ACCOUNT, "owners");
    matrix.owner.put_secret("owners", &access_key_data(&key.id, &key.secret)).await;

    // The owner's namespace is on every list, the tenant's on none.
    let cases = [
        case("keys", Some(&[]), json!({}), (own("user/owner"), own("user/tenant"))),
        case("none", None, json!({}), (own("user/controller"), missing)),
        case(
            "secret-of-owner",
            None,
            owner_secret.clone(),
            (own("user/owners"), Rejected("SecretNotFound", "/owners does not exist")),
        ),
        case("secret-elsewhere", None, json!({"secretName": "nobodys"}), both(Rejected("SecretNotFound", "nobodys"))),
        case("role-in-secret", Some(&role), json!({}), (other_account, no_role("--allowed-roles"))),
        case("role-in-spec", Some(&[]), assume(), (other_account, no_role(ROLE))),
        case("role-alone", None, assume(), (other_account, missing)),
        case(
            "role-not-listed",
            Some(&[("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/other")]),
            json!({}),
            both(no_role("role/other")),
        ),
        case("profile", None, json!({"profile": "data"}), (own("user/data"), no_profile)),
        case("profile-not-listed", None, json!({"profile": "other"}), both(no_profile)),
        case("endpoint", Some(&[("AWS_ENDPOINT_URL", &url)]), json!({}), both(no_endpoint("AWS_ENDPOINT_URL of"))),
        case("glue", Some(&[("AWS_ENDPOINT_URL_GLUE", &url)]), json!({}), both(no_endpoint("AWS_ENDPOINT_URL_GLUE"))),
        case("sts", Some(&[("AWS_ENDPOINT_URL_STS", &url)]), json!({}), both(no_endpoint("AWS_ENDPOINT_URL_STS"))),
        case(
            "partition",
            Some(&[("AWS_ROLE_ARN", "arn:aws-cn:iam::222222222222:role/etl")]),
            json!({}),
            both(Rejected("SecretInvalid", "partition")),
        ),
        case(
            "nameless",
            Some(&[]),
            json!({"assumeRole": {"externalId": "xy"}}),
            both(Rejected("RoleMissing", "roleArn")),
        ),
    ];
    let flags = [
        ("--controller-identity-namespaces", "owner-*"),
        ("--allowed-roles", "owner-*=*:role/etl"),
        ("--allowed-profiles", "owner-*=data"),
        ("--allowed-endpoints", "*=.vpce.amazonaws.com"),
    ];
    matrix.check_all("listed", &flags, &cases).await;

    // All namespaces may use the controller's identity. That gives them no access to the role or the profile.
    let cases = [
        case("none", None, json!({}), both(own("user/controller"))),
        case("role-alone", None, assume(), (other_account, no_role("with the controller's credentials"))),
        case("role-in-spec", Some(&[]), assume(), (other_account, no_role(ROLE))),
        case("profile", None, json!({"profile": "data"}), both(no_profile)),
    ];
    let flags = [("--controller-identity-namespaces", "*"), ("--allowed-roles", "owner-*=*:role/etl")];
    matrix.check_all("identity", &flags, &cases).await;

    // Both are on the list of the role. The session tag, which only the controller can set, distinguishes them.
    let cases = [
        case("role-in-secret", Some(&role), json!({}), (other_account, RejectedBySts)),
        case("role-alone", None, assume(), (other_account, RejectedBySts)),
        case(
            "role-tagged",
            Some(&[]),
            json!({"assumeRole": {"roleArn": ROLE, "sessionTags": {"namespace": "owner"}}}),
            (other_account, RejectedBySts),
        ),
    ];
    let flags = [("--controller-identity-namespaces", "*"), ("--allowed-roles", "*=*:role/etl")];
    matrix.check_all("tags", &flags, &cases).await;

    // The defaults: all lists are empty.
    let cases = [
        case("keys", Some(&[]), json!({}), (own("user/owner"), own("user/tenant"))),
        case("none", None, json!({}), both(missing)),
        case(
            "secret-of-owner",
            None,
            owner_secret,
            (own("user/owners"), Rejected("SecretNotFound", "/owners does not exist")),
        ),
        case("role-in-secret", Some(&role), json!({}), (other_account, RejectedBySts)),
        case("role-alone", None, assume(), both(missing)),
        case("profile", None, json!({"profile": "data"}), both(no_profile)),
        case("endpoint", Some(&[("AWS_ENDPOINT_URL", &url)]), json!({}), both(no_endpoint("--allowed-endpoints"))),
    ];
    matrix.check_all("default", &[], &cases).await;

    // All sessions in the other account are the owner's.
    let sessions = matrix.owner.double.iam().sessions(ROLE);
    let tag = ("kube-glue-namespace".to_owned(), matrix.owner.namespace.clone());
    assert!(!sessions.is_empty() && sessions.iter().all(|session| session.tags.contains(&tag)), "{sessions:?}");
}
