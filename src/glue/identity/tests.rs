//! Which identity is resolved, and which error explains why there is none.

use serde_json::{Value, json};

use super::*;

const ROLE: &str = "arn:aws:iam::222222222222:role/etl";

fn data(pairs: &Value) -> SecretData {
    let pairs = pairs.as_object().unwrap().iter();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap().as_bytes().to_vec().into())).collect()
}

#[allow(clippy::needless_pass_by_value, reason = "called with json!")]
fn with_keys(more: Value) -> Value {
    let mut keys = json!({"AWS_ACCESS_KEY_ID": "AKIA1", "AWS_SECRET_ACCESS_KEY": "hush"});
    keys.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    keys
}

/// The identity of an object in namespace a with these credentials and this Secret.
fn resolved(credentials: &Value, secret: Option<&Value>, rules: &Rules) -> Result<Identity, IdentityError> {
    let credentials: Credentials = serde_json::from_value(credentials.clone()).unwrap();
    let data = secret.map(data);
    let secret_name = credentials.secret_name.as_deref().unwrap_or("s");
    let input = ResolveInput { secret_name, secret: data.as_ref(), ..ResolveInput::example(&credentials) };
    resolve(&input, rules).map(|(identity, _)| identity)
}

/// The variant's name.
fn variant(error: &IdentityError) -> String {
    format!("{error:?}").split_whitespace().next().unwrap_or_default().to_owned()
}

/// A text with the facts of an error.
fn outline(error: &IdentityError) -> String {
    match error {
        IdentityError::InvalidValue { setting: Setting::SecretKey { secret, key }, problem } => {
            format!("{key} of {secret} {problem}")
        }
        IdentityError::InvalidValue { setting: Setting::Field(field), problem } => format!("{field} {problem}"),
        error => format!("{error:?}"),
    }
}

fn rules(controller_identity: bool, roles: &[&str], profiles: &[&str]) -> Rules {
    let grants = |lines: &[&str]| lines.iter().map(|line| line.parse().unwrap()).collect();
    let controller_identity_namespaces = if controller_identity { vec!["a".to_owned()] } else { Vec::new() };
    Rules { controller_identity_namespaces, roles: grants(roles), profiles: grants(profiles), ..Rules::default() }
}

#[test]
#[allow(clippy::type_complexity, reason = "a table")]
fn rules_and_secrets_decide_the_credentials() {
    let keys = with_keys(json!({}));
    let keys_and_role = with_keys(json!({"AWS_ROLE_ARN": ROLE}));
    let role_only = json!({"AWS_ROLE_ARN": ROLE});
    let region_only = json!({"AWS_REGION": "eu-west-1"});
    let none = json!({});
    let named = json!({"secretName": "x"});
    let asks_role = json!({"assumeRole": {"roleArn": ROLE}});
    let asks_profile = json!({"profile": "p"});
    let (listed, other) = (&["a=*:role/etl"][..], &["b=*"][..]);
    // The object's credentials, its Secret, whether the controller's identity is allowed, roles, profiles; the result.
    let table: &[(&Value, Option<&Value>, bool, &[&str], &[&str], &str)] = &[
        (&none, Some(&keys), false, &[], &[], "keys"),
        (&named, Some(&keys), false, &[], &[], "keys"),
        (&named, None, true, &[], &[], "SecretNotFound"),
        (&none, None, false, &[], &[], "NoCredentials"),
        (&none, None, true, &[], &[], "controller"),
        (&none, Some(&region_only), true, &[], &[], "MissingKey"),
        (&none, Some(&keys_and_role), false, &[], &[], "keys, role"),
        (&none, Some(&keys_and_role), false, listed, &[], "keys, role"),
        (&none, Some(&keys_and_role), false, other, &[], "RoleNotAllowed"),
        (&asks_role, Some(&keys), false, &[], &[], "keys, role"),
        (&asks_role, Some(&keys), true, other, &[], "RoleNotAllowed"),
        (&none, Some(&role_only), false, listed, &[], "NoCredentials"),
        (&none, Some(&role_only), true, &[], &[], "RoleNotAllowed"),
        (&none, Some(&role_only), true, listed, &[], "controller, role"),
        (&none, Some(&role_only), true, other, &[], "RoleNotAllowed"),
        (&asks_role, None, true, listed, &[], "controller, role"),
        (&asks_role, None, true, &[], &[], "RoleNotAllowed"),
        (&asks_role, None, false, listed, &[], "NoCredentials"),
        (&asks_role, Some(&region_only), true, listed, &[], "controller, role"),
        (&asks_profile, None, false, &[], &["a=p"], "profile"),
        (&asks_profile, Some(&keys), true, &[], &[], "ProfileNotAllowed"),
        (&asks_profile, None, true, &[], &["b=p"], "ProfileNotAllowed"),
        (&asks_profile, None, true, &[], &["a=q"], "ProfileNotAllowed"),
    ];
    for (n, (credentials, secret, controller_identity, roles, profiles, expected)) in table.iter().enumerate() {
        let found = match resolved(credentials, *secret, &rules(*controller_identity, roles, profiles)) {
            Err(error) => variant(&error),
            Ok(identity) => {
                let source = match identity.source {
                    CredentialSource::Keys(_) => "keys",
                    CredentialSource::Controller => "controller",
                    CredentialSource::Profile(_) => "profile",
                };
                format!("{source}{}", if identity.role.is_some() { ", role" } else { "" })
            }
        };
        assert_eq!(&found, expected, "row {n}");
    }
}

#[test]
fn the_region_comes_from_the_object_then_the_secret_then_the_controller() {
    let with = |secret: Value, own, default_region| {
        let data = data(&with_keys(secret));
        let credentials = Credentials::default();
        let (region, secret) = (own, Some(&data));
        let input = ResolveInput { region, secret, default_region, ..ResolveInput::example(&credentials) };
        resolve(&input, &Rules::default()).map(|(identity, _)| identity.region)
    };
    assert_eq!(with(json!({"AWS_REGION": "eu-west-2"}), Some("eu-west-1"), Some("eu-west-3")).unwrap(), "eu-west-1");
    assert_eq!(with(json!({"AWS_REGION": "eu-west-2"}), None, Some("eu-west-3")).unwrap(), "eu-west-2");
    assert_eq!(with(json!({}), None, Some("eu-west-3")).unwrap(), "eu-west-3");
    assert_eq!(with(json!({}), None, None), Err(IdentityError::NoRegion { secret: "a/s".to_owned() }));
    for bad in ["Ireland", "eu-west-1.evil.org/", "eu", "eu--1", "eu-west-1#"] {
        let error = with(json!({"AWS_REGION": bad}), None, None).unwrap_err();
        assert!(outline(&error).contains("AWS_REGION of a/s is not the name of a region"), "{error:?}");
    }
}

#[test]
fn an_invalid_secret_is_reported_with_its_key() {
    for (secret, text) in [
        (json!({"AWS_ACCESS_KEY_ID": "AKIA1"}), r#"MissingKey { secret: "a/s", key: "AWS_SECRET_ACCESS_KEY", "#),
        (json!({"accessKeyId": "AKIA1"}), r#"key: "AWS_ACCESS_KEY_ID", similar: Some("accessKeyId")"#),
        (json!({"AWS_SESSION_TOKEN": "x", "AWS_ROLE_ARN": ROLE}), r#"key: "AWS_ACCESS_KEY_ID", similar: None"#),
        (with_keys(json!({"AWS_ACCESS_KEY_ID": ""})), "AWS_ACCESS_KEY_ID of a/s is empty"),
        (with_keys(json!({"AWS_SECRET_ACCESS_KEY": "hush\n"})), "begins or ends with white space or a line end"),
        (with_keys(json!({"AWS_SECRET_ACCESS_KEY": "hu sh"})), "contains white space or control characters"),
        (with_keys(json!({"AWS_ACCESS_KEY_ID": "AKIAé"})), "AWS_ACCESS_KEY_ID of a/s contains characters other than"),
        (with_keys(json!({"AWS_SESSION_TOKEN": "tokén"})), "AWS_SESSION_TOKEN of a/s contains characters other than"),
        (with_keys(json!({"AWS_ROLE_ARN": "etl"})), "AWS_ROLE_ARN of a/s is not the ARN of a role"),
        (with_keys(json!({"AWS_ROLE_ARN": "arn:aws:iam::222222222222:user/etl"})), "is not the ARN of a role"),
        (with_keys(json!({"AWS_ROLE_ARN": "arn:aws:iam::2:role/etl"})), "is not the ARN of a role"),
        (with_keys(json!({"AWS_ROLE_ARN": "arn:aws-cn:iam::222222222222:role/etl"})), "another AWS partition"),
        (with_keys(json!({"AWS_ROLE_ARN": ROLE, "AWS_EXTERNAL_ID": "x"})), "AWS_EXTERNAL_ID of a/s must be 2 to"),
        (with_keys(json!({"AWS_ROLE_ARN": ROLE, "AWS_ROLE_SESSION_NAME": "a/b"})), "AWS_ROLE_SESSION_NAME of"),
        (with_keys(json!({"AWS_ROLE_ARN": ROLE, "AWS_SOURCE_IDENTITY": "é!"})), "AWS_SOURCE_IDENTITY of"),
        (
            with_keys(json!({"AWS_ENDPOINT_URL": "https://evil.org"})),
            r#"EndpointNotAllowed { namespace: "a", setting: SecretKey { secret: "a/s", key: "AWS_ENDPOINT_URL" } }"#,
        ),
    ] {
        let error = outline(&resolved(&json!({}), Some(&secret), &Rules::default()).unwrap_err());
        assert!(error.contains(text), "{error:?} does not contain {text:?}");
        assert!(!error.contains("hush") && !error.contains("hu sh"), "{error}");
    }
    let binary = SecretData::from([("AWS_ACCESS_KEY_ID".to_owned(), vec![0xff, 0xfe].into())]);
    let secret = SecretView { name: "a/s", data: Some(&binary) };
    assert!(outline(&secret.keys().unwrap_err()).contains("is not text"));
}

#[test]
fn an_invalid_role_parameter_is_reported_with_its_field() {
    for (assume, text) in [
        (json!({"externalId": "xy"}), "NoRole"),
        (json!({"roleArn": "etl"}), "assumeRole.roleArn is not the ARN of a role"),
        (json!({"roleArn": ROLE, "sessionName": "x"}), "assumeRole.sessionName must be 2 to 64"),
        (json!({"roleArn": ROLE, "durationSeconds": 60}), "assumeRole.durationSeconds must be 900 to 43200"),
        (json!({"roleArn": ROLE, "sessionTags": {"Kube-Glue-Namespace": "b"}}), "reserved for the controller"),
        (json!({"roleArn": ROLE, "sessionTags": {"\u{212a}ube-glue-namespace": "b"}}), "reserved for the controller"),
        (json!({"roleArn": ROLE, "sessionTags": {"aws:x": "b"}}), "which AWS reserves"),
        (json!({"roleArn": ROLE, "sessionTags": {"x": "b", "X": "c"}}), "differ only in case"),
        (json!({"roleArn": ROLE, "sessionTags": {"x!": "b"}}), "a key that STS does not allow"),
        (json!({"roleArn": ROLE, "sessionTags": {"x": "b!"}}), "a value that STS does not allow"),
    ] {
        let secret = with_keys(json!({}));
        let error = resolved(&json!({"assumeRole": assume}), Some(&secret), &Rules::default()).unwrap_err();
        assert!(outline(&error).contains(text), "{error:?} does not contain {text:?}");
    }
}

#[test]
fn role_parameters_of_the_object_override_those_of_the_secret() {
    let secret = with_keys(json!({
        "AWS_ROLE_ARN": "arn:aws:iam::222222222222:role/path/of/secret", "AWS_EXTERNAL_ID": "of-secret",
        "AWS_SOURCE_IDENTITY": "alice"
    }));
    let own = json!({"assumeRole": {"roleArn": ROLE, "sessionTags": {"team": "data"}, "durationSeconds": 900}});
    let role = resolved(&own, Some(&secret), &Rules::default()).unwrap().role.unwrap();
    assert_eq!((role.arn.as_str(), role.external_id), (ROLE, Some(Sensitive::new("of-secret".to_owned()))));
    assert_eq!(role.source_identity.as_deref(), Some("alice"));
    assert_eq!(role.session_name, "kube-glue-a");
    assert_eq!(role.tags, [("team".to_owned(), "data".to_owned())]);
    assert_eq!(role.controller_tags, [(NAMESPACE_TAG, "a".to_owned()), (KIND_TAG, "GlueJobRun".to_owned())]);
    let untagged = Rules { session_tags: false, ..Rules::default() };
    assert_eq!(resolved(&own, Some(&secret), &untagged).unwrap().role.unwrap().controller_tags, []);
}

#[test]
fn external_ids_make_identities_different() {
    let role = |id| {
        let secret = with_keys(json!({"AWS_ROLE_ARN": ROLE, "AWS_EXTERNAL_ID": id}));
        resolved(&json!({}), Some(&secret), &Rules::default()).unwrap()
    };
    assert_ne!(role("xx"), role("yy"));
    assert_eq!(role("xx"), role("xx"));
}

#[test]
fn an_allowed_endpoint_of_a_secret_is_used() {
    let rules = Rules { endpoints: vec!["a=http://127.0.0.1:1".parse().unwrap()], ..Rules::default() };
    let secret = with_keys(json!({"AWS_ENDPOINT_URL": "http://127.0.0.1:1/"}));
    let endpoints = resolved(&json!({}), Some(&secret), &rules).unwrap().endpoints;
    assert_eq!(endpoints.glue.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!([&endpoints.sts, &endpoints.logs], [&endpoints.glue; 2]);
}

/// Its signed requests, and the answers that the controller trusts, would go through somebody else's hands.
#[test]
fn no_endpoint_of_a_secret_gets_calls_that_the_controllers_credentials_sign() {
    let role = "*=arn:aws:iam::222222222222:role/*".parse().unwrap();
    let rules = Rules {
        endpoints: vec!["*=sts.example.com".parse().unwrap()],
        roles: vec![role],
        ..self::rules(true, &[], &[])
    };
    for key in ENDPOINT_SETTINGS {
        let secret = json!({"AWS_ROLE_ARN": ROLE, key: "https://sts.example.com"});
        let setting = Setting::SecretKey { secret: "a/s".to_owned(), key };
        let error = resolved(&json!({}), Some(&secret), &rules).unwrap_err();
        assert_eq!(error, IdentityError::EndpointWithoutKeys { setting });
        let keys = with_keys(secret);
        assert!(resolved(&json!({}), Some(&keys), &rules).is_ok(), "{key}");
    }
}

#[test]
fn debug_output_hides_secrets() {
    let secret = with_keys(json!({"AWS_SESSION_TOKEN": "quiet", "AWS_ROLE_ARN": ROLE, "AWS_EXTERNAL_ID": "tenant-7"}));
    let shown = format!("{:?}", resolved(&json!({}), Some(&secret), &Rules::default()).unwrap());
    assert!(!shown.contains("hush") && !shown.contains("quiet") && !shown.contains("AKIA1"), "{shown}");
    assert!(!shown.contains("tenant-7"), "{shown}");
}

#[test]
fn with_the_controllers_credentials_no_namespace_passes_for_another() {
    let assume = |more: Value| {
        let mut fields = json!({"roleArn": ROLE});
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"assumeRole": fields})
    };
    let own_keys = with_keys(json!({}));
    let in_secret = |key: &str, value: &str| json!({"AWS_ROLE_ARN": ROLE, key: value});
    let session = |name: &str| assume(json!({"sessionName": name}));
    let none = json!({});
    for (credentials, secret, problem) in [
        (session("kube-glue-b"), None, Some("assumeRole.sessionName begins with kube-glue-")),
        (session("Kube-Glue-b"), None, Some("assumeRole.sessionName begins with kube-glue-")),
        (session("kube-glue-a-b"), None, Some("assumeRole.sessionName begins with kube-glue-")),
        (session("kube-glue-a"), None, None),
        (session("nightly"), None, None),
        (session("kube-glue-b"), Some(own_keys.clone()), None),
        (assume(json!({"sourceIdentity": "alice"})), None, Some("assumeRole.sourceIdentity cannot be set")),
        (assume(json!({"sourceIdentity": "alice"})), Some(own_keys), None),
        (
            none.clone(),
            Some(in_secret("AWS_SOURCE_IDENTITY", "alice")),
            Some("AWS_SOURCE_IDENTITY of a/s cannot be set"),
        ),
        (
            none,
            Some(in_secret("AWS_ROLE_SESSION_NAME", "kube-glue-b")),
            Some("AWS_ROLE_SESSION_NAME of a/s begins with"),
        ),
    ] {
        let found = resolved(&credentials, secret.as_ref(), &rules(true, &["a=*:role/etl"], &[]));
        let error = found.err().map(|error| outline(&error));
        let is_expected = error.as_deref().is_some_and(|error| problem.is_some_and(|problem| error.contains(problem)));
        assert!(is_expected || error.is_none() && problem.is_none(), "{credentials} {secret:?}: {error:?}");
    }
    // A profile of the controller is the controller's, too.
    let mut credentials = session("kube-glue-b");
    credentials.as_object_mut().unwrap().insert("profile".to_owned(), json!("p"));
    let allowed = rules(false, &["a=*:role/etl"], &["a=p"]);
    assert!(outline(&resolved(&credentials, None, &allowed).unwrap_err()).contains("begins with kube-glue-"));
}

#[test]
fn two_namespaces_have_two_session_names() {
    let name_in = |namespace: &str| {
        let data = data(&with_keys(json!({"AWS_ROLE_ARN": ROLE})));
        let credentials = Credentials::default();
        let input = ResolveInput { namespace, secret: Some(&data), ..ResolveInput::example(&credentials) };
        resolve(&input, &Rules::default()).unwrap().0.role.unwrap().session_name
    };
    let (one, other) = (format!("{}-a", "n".repeat(61)), format!("{}-b", "n".repeat(61)));
    assert_eq!(name_in("team-a"), "kube-glue-team-a");
    assert_eq!(name_in(&"n".repeat(54)), format!("kube-glue-{}", "n".repeat(54)));
    assert_ne!(name_in(&one), name_in(&other));
    assert!(name_in(&one).len() == 64 && validation::session_name(&name_in(&one)).is_ok());
}
