//! The table of who may use what, and what is said about the rest.

use serde_json::{Value, json};

use super::*;

const ROLE: &str = "arn:aws:iam::222222222222:role/etl";

fn data(pairs: &Value) -> SecretData {
    let pairs = pairs.as_object().unwrap().iter();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().as_bytes().to_vec())).collect()
}

#[allow(clippy::needless_pass_by_value, reason = "called with json!")]
fn with_keys(more: Value) -> Value {
    let mut keys = json!({"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "hush"});
    keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    keys
}

/// The identity of an object of namespace a with these credentials, when its Secret holds this.
fn resolved(credentials: &Value, secret: Option<&Value>, rules: &Rules) -> Result<Identity, IdentityError> {
    let credentials: Credentials = serde_json::from_value(credentials.clone()).unwrap();
    let data = secret.map(data);
    let request = Request {
        namespace: "a",
        kind: "GlueJobRun",
        region: None,
        credentials: &credentials,
        secret_name: credentials.secret_name.as_deref().unwrap_or("s"),
        secret: data.as_ref(),
        default_region: Some("eu-west-1"),
    };
    resolve(&request, rules).map(|(identity, _)| identity)
}

fn rules(own: bool, roles: &[&str], profiles: &[&str]) -> Rules {
    let grants = |lines: &[&str]| lines.iter().map(|line| line.parse().unwrap()).collect();
    let own_identity = if own { vec!["a".to_owned()] } else { Vec::new() };
    Rules { own_identity, roles: grants(roles), profiles: grants(profiles), ..Rules::default() }
}

#[test]
#[allow(clippy::type_complexity, reason = "a table")]
fn who_may_use_what() {
    let keys = with_keys(json!({}));
    let keys_and_role = with_keys(json!({"AWS_ROLE_ARN": ROLE}));
    let role_alone = json!({"AWS_ROLE_ARN": ROLE});
    let region_alone = json!({"AWS_REGION": "eu-west-1"});
    let none = json!({});
    let named = json!({"secretName": "x"});
    let asks_role = json!({"assumeRole": {"roleArn": ROLE}});
    let asks_profile = json!({"profile": "p"});
    let (listed, other) = (&["a=*:role/etl"][..], &["b=*"][..]);
    // credentials of the object, its Secret, own identity allowed, roles, profiles: what comes of it.
    let table: &[(&Value, Option<&Value>, bool, &[&str], &[&str], &str)] = &[
        (&none, Some(&keys), false, &[], &[], "keys"),
        (&named, Some(&keys), false, &[], &[], "keys"),
        (&named, None, true, &[], &[], "SecretNotFound"),
        (&none, None, false, &[], &[], "CredentialsMissing"),
        (&none, None, true, &[], &[], "own"),
        (&none, Some(&region_alone), true, &[], &[], "SecretInvalid"),
        (&none, Some(&keys_and_role), false, &[], &[], "keys, role"),
        (&none, Some(&keys_and_role), false, listed, &[], "keys, role"),
        (&none, Some(&keys_and_role), false, other, &[], "RoleNotAllowed"),
        (&asks_role, Some(&keys), false, &[], &[], "keys, role"),
        (&asks_role, Some(&keys), true, other, &[], "RoleNotAllowed"),
        (&none, Some(&role_alone), false, listed, &[], "CredentialsMissing"),
        (&none, Some(&role_alone), true, &[], &[], "RoleNotAllowed"),
        (&none, Some(&role_alone), true, listed, &[], "own, role"),
        (&none, Some(&role_alone), true, other, &[], "RoleNotAllowed"),
        (&asks_role, None, true, listed, &[], "own, role"),
        (&asks_role, None, true, &[], &[], "RoleNotAllowed"),
        (&asks_role, None, false, listed, &[], "CredentialsMissing"),
        (&asks_role, Some(&region_alone), true, listed, &[], "own, role"),
        (&asks_profile, None, false, &[], &["a=p"], "profile"),
        (&asks_profile, Some(&keys), true, &[], &[], "ProfileNotAllowed"),
        (&asks_profile, None, true, &[], &["b=p"], "ProfileNotAllowed"),
        (&asks_profile, None, true, &[], &["a=q"], "ProfileNotAllowed"),
    ];
    for (n, (credentials, secret, own, roles, profiles, expected)) in table.iter().enumerate() {
        let found = match resolved(credentials, *secret, &rules(*own, roles, profiles)) {
            Err(error) => error.reason().to_owned(),
            Ok(identity) => {
                let source = match identity.source {
                    Source::Keys(_) => "keys",
                    Source::Own => "own",
                    Source::Profile(_) => "profile",
                };
                format!("{source}{}", if identity.role.is_some() { ", role" } else { "" })
            }
        };
        assert_eq!(&found, expected, "line {n}");
    }
}

#[test]
fn the_region_is_the_objects_then_the_secrets_then_the_controllers() {
    let with = |secret: Value, own, default_region| {
        let data = data(&with_keys(secret));
        let request = Request {
            namespace: "a",
            kind: "GlueJobRun",
            region: own,
            credentials: &Credentials::default(),
            secret_name: "s",
            secret: Some(&data),
            default_region,
        };
        resolve(&request, &Rules::default()).map(|(identity, _)| identity.region)
    };
    assert_eq!(with(json!({"AWS_REGION": "eu-west-2"}), Some("eu-west-1"), Some("eu-west-3")).unwrap(), "eu-west-1");
    assert_eq!(with(json!({"AWS_REGION": "eu-west-2"}), None, Some("eu-west-3")).unwrap(), "eu-west-2");
    assert_eq!(with(json!({}), None, Some("eu-west-3")).unwrap(), "eu-west-3");
    assert_eq!(with(json!({}), None, None), Err(IdentityError::NoRegion { secret: "a/s".to_owned() }));
    for bad in ["Ireland", "eu-west-1.evil.org/", "eu", "eu--1", "eu-west-1#"] {
        let error = with(json!({"AWS_REGION": bad}), None, None).unwrap_err();
        assert!(error.to_string().contains("key AWS_REGION of Secret a/s is not the name of a region"), "{error}");
    }
}

#[test]
fn what_is_wrong_with_a_secret_names_its_key_and_the_remedy() {
    for (secret, words) in [
        (json!({"AWS_ACCESS_KEY_ID": "AKIA1"}), "Secret a/s has no key AWS_SECRET_ACCESS_KEY: add it"),
        (
            json!({"accessKeyId": "AKIA1"}),
            "no key AWS_ACCESS_KEY_ID: add it (its keys are named as AWS names them; it has accessKeyId)",
        ),
        (json!({"AWS_SESSION_TOKEN": "x", "AWS_ROLE_ARN": ROLE}), "has no key AWS_ACCESS_KEY_ID"),
        (with_keys(json!({"AWS_ACCESS_KEY_ID": ""})), "key AWS_ACCESS_KEY_ID of Secret a/s is empty"),
        (with_keys(json!({"AWS_SECRET_ACCESS_KEY": "hush\n"})), "begins or ends with white space or a line end"),
        (with_keys(json!({"AWS_SECRET_ACCESS_KEY": "hu sh"})), "contains white space or control characters"),
        (with_keys(json!({"AWS_ROLE_ARN": "etl"})), "key AWS_ROLE_ARN of Secret a/s is no role's ARN"),
        (with_keys(json!({"AWS_ROLE_ARN": "arn:aws:iam::222222222222:user/etl"})), "is no role's ARN"),
        (with_keys(json!({"AWS_ROLE_ARN": "arn:aws:iam::2:role/etl"})), "is no role's ARN"),
        (with_keys(json!({"AWS_ROLE_ARN": "arn:aws-cn:iam::222222222222:role/etl"})), "another AWS partition"),
        (
            with_keys(json!({"AWS_ROLE_ARN": ROLE, "AWS_EXTERNAL_ID": "x"})),
            "key AWS_EXTERNAL_ID of Secret a/s must be 2 to",
        ),
        (with_keys(json!({"AWS_ROLE_ARN": ROLE, "AWS_ROLE_SESSION_NAME": "a/b"})), "key AWS_ROLE_SESSION_NAME of"),
        (with_keys(json!({"AWS_ROLE_ARN": ROLE, "AWS_SOURCE_IDENTITY": "é!"})), "key AWS_SOURCE_IDENTITY of"),
        (
            with_keys(json!({"AWS_ENDPOINT_URL": "https://evil.org"})),
            "key AWS_ENDPOINT_URL of Secret a/s is not allowed",
        ),
    ] {
        let error = resolved(&json!({}), Some(&secret), &Rules::default()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("hush") && !error.contains("hu sh"), "{error}");
    }
    let binary = SecretData::from([("AWS_ACCESS_KEY_ID".to_owned(), vec![0xff, 0xfe])]);
    let holder = SecretView { name: "a/s", data: Some(&binary) };
    assert!(holder.keys().unwrap_err().to_string().contains("is not text"));
}

#[test]
fn what_is_wrong_with_a_role_names_the_field() {
    for (assume, words) in [
        (json!({"externalId": "xy"}), "assumeRole names no role: set roleArn"),
        (json!({"roleArn": "etl"}), "spec.credentials.assumeRole.roleArn is no role's ARN"),
        (json!({"roleArn": ROLE, "sessionName": "x"}), "assumeRole.sessionName must be 2 to 64"),
        (json!({"roleArn": ROLE, "durationSeconds": 60}), "assumeRole.durationSeconds must be 900 to 43200"),
        (json!({"roleArn": ROLE, "sessionTags": {"Kube-Glue-Namespace": "b"}}), "those are the controller's"),
        (json!({"roleArn": ROLE, "sessionTags": {"\u{212a}ube-glue-namespace": "b"}}), "those are the controller's"),
        (json!({"roleArn": ROLE, "sessionTags": {"aws:x": "b"}}), "AWS keeps for itself"),
        (json!({"roleArn": ROLE, "sessionTags": {"x": "b", "X": "c"}}), "differ in capitals only"),
        (json!({"roleArn": ROLE, "sessionTags": {"x!": "b"}}), "a key that STS does not admit"),
        (json!({"roleArn": ROLE, "sessionTags": {"x": "b!"}}), "a value that STS does not admit"),
    ] {
        let secret = with_keys(json!({}));
        let error = resolved(&json!({"assumeRole": assume}), Some(&secret), &Rules::default()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn the_objects_words_go_before_the_secrets_field_by_field() {
    let secret = with_keys(json!({
        "AWS_ROLE_ARN": "arn:aws:iam::222222222222:role/path/of/secret", "AWS_EXTERNAL_ID": "of-secret",
        "AWS_SOURCE_IDENTITY": "alice"
    }));
    let own = json!({"assumeRole": {"roleArn": ROLE, "sessionTags": {"team": "data"}, "durationSeconds": 900}});
    let role = resolved(&own, Some(&secret), &Rules::default()).unwrap().role.unwrap();
    assert_eq!((role.arn.as_str(), role.external_id.as_deref()), (ROLE, Some("of-secret")));
    assert_eq!(role.source_identity.as_deref(), Some("alice"));
    assert_eq!(role.session_name, "kube-glue-a");
    assert_eq!(role.tags, [("team".to_owned(), "data".to_owned())]);
    assert_eq!(role.our_tags, [(NAMESPACE_TAG, "a".to_owned()), (KIND_TAG, "GlueJobRun".to_owned())]);
    let untagged = Rules { session_tags: false, ..Rules::default() };
    assert_eq!(resolved(&own, Some(&secret), &untagged).unwrap().role.unwrap().our_tags, []);
}

#[test]
fn two_external_ids_are_two_identities() {
    let role = |id| {
        let secret = with_keys(json!({"AWS_ROLE_ARN": ROLE, "AWS_EXTERNAL_ID": id}));
        resolved(&json!({}), Some(&secret), &Rules::default()).unwrap()
    };
    assert_ne!(role("xx"), role("yy"));
    assert_eq!(role("xx"), role("xx"));
}

#[test]
fn an_endpoint_of_a_secret_is_used_where_it_is_listed() {
    let rules = Rules { endpoints: vec!["http://127.0.0.1:1".parse().unwrap()], ..Rules::default() };
    let secret = with_keys(json!({"AWS_ENDPOINT_URL": "http://127.0.0.1:1/"}));
    let endpoints = resolved(&json!({}), Some(&secret), &rules).unwrap().endpoints;
    assert_eq!(endpoints.glue.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!(endpoints.sts, endpoints.glue);
}

#[test]
fn debug_output_hides_secrets() {
    let secret = with_keys(json!({"AWS_SESSION_TOKEN": "quiet"}));
    let shown = format!("{:?}", resolved(&json!({}), Some(&secret), &Rules::default()).unwrap());
    assert!(!shown.contains("hush") && !shown.contains("quiet") && !shown.contains("AKIA1"), "{shown}");
}

#[test]
fn a_secret_within_another_leaves_nothing_of_it_behind() {
    let secrets = ["tr0ub", "tr0ub4dor", "abc"].map(|secret| Sensitive::new(secret.to_owned()));
    assert_eq!(Sensitive::redact("tr0ub4dor, tr0ub, abc", &secrets), "[hidden], [hidden], abc");
}
