//! The flags: defaults, values that are refused, environment variables.

mod chart;
mod hostile;

use std::time::Duration;

use clap::CommandFactory;

use super::{Cli, Command, LogFormat, Options};
use crate::controllers::Settings;
use crate::glue::identity::{RefusedArguments, Rules};

fn options(arguments: &[&str]) -> Result<Options, clap::Error> {
    match Cli::parse_arguments(std::iter::once(&"kube-glue").chain(arguments))? {
        Command::Run(options) => Ok(options),
        Command::Crds => panic!("expected the command run"),
    }
}

fn refusal(arguments: &[&str]) -> String {
    options(arguments).unwrap_err().to_string()
}

#[test]
fn clap_accepts_the_definition_of_the_flags() {
    Cli::command().debug_assert();
}

#[test]
fn run_is_the_default_command_and_has_the_same_flags() {
    let bare = options(&["--poll-interval", "200ms"]).unwrap();
    let named = options(&["run", "--poll-interval", "200ms"]).unwrap();
    assert_eq!(bare.settings(), named.settings());
    assert_eq!(bare.settings().poll_interval, Duration::from_millis(200));
}

#[test]
fn flags_have_the_documented_defaults() {
    let options = options(&[]).unwrap();
    assert_eq!(
        options.settings(),
        Settings {
            namespaces: vec![],
            kinds: vec![],
            poll_interval: Duration::from_secs(5),
            poll_calls_per_minute: None,
            start_settle: Duration::from_mins(1),
            aws_timeout: Duration::from_secs(20),
            deletion_timeout: Duration::from_mins(10),
            run_key_argument: Some("--kube-glue-run".to_owned()),
            identity_rules: Rules::default(),
            watch_secrets: true,
            failure_logs: true,
            open_lineage: None,
            spark_parent: false,
        }
    );
    assert!(options.leader_election);
    assert_eq!(options.lease_duration, Duration::from_secs(15));
    assert_eq!(options.http_address.to_string(), "0.0.0.0:8080");
    assert_eq!(options.log_format, LogFormat::Text);
}

#[test]
fn lists_are_split_and_empty_values_are_unset() {
    let settings = options(&[
        "--namespaces",
        "a,b-2",
        "--controller-identity-namespaces",
        "team-*,ops",
        "--allowed-roles",
        "a=arn:aws:iam::111122223333:role/a*,b=*",
        "--allowed-endpoints",
        "",
        "--run-key-argument",
        "",
    ])
    .unwrap()
    .settings();
    assert_eq!(settings.namespaces, ["a", "b-2"]);
    assert_eq!(settings.identity_rules.controller_identity_namespaces, ["team-*", "ops"]);
    assert_eq!(settings.identity_rules.roles.len(), 2);
    assert_eq!(settings.identity_rules.endpoints, []);
    assert_eq!(settings.run_key_argument, None);
    assert_eq!(settings.identity_rules.refused_arguments, RefusedArguments::default());
    // An empty list is not the default.
    for (list, length) in [("", 0), ("a=--conf,*=--extra-*", 2)] {
        let rules = options(&["--refused-arguments", list]).unwrap().settings().identity_rules;
        let RefusedArguments::Listed(list) = rules.refused_arguments else { panic!("{rules:?}") };
        assert_eq!(list.len(), length);
    }
    let named = options(&["--run-key-argument", "--our-run"]).unwrap().settings();
    assert_eq!(named.run_key_argument.as_deref(), Some("--our-run"));
}

#[test]
fn invalid_values_are_refused_with_the_remedy() {
    assert!(refusal(&["--poll-interval", "5"]).contains("like 200ms, 5s or 2m"));
    assert!(refusal(&["--poll-interval", "0s"]).contains("more than zero"));
    assert!(refusal(&["--poll-interval=-1s"]).contains("more than zero"));
    assert!(refusal(&["--poll-calls-per-minute", "0"]).contains("not in 1.."));
    assert!(refusal(&["--kinds", "GlueJobRun,GlueJob"]).contains("expected kinds"));
    assert!(refusal(&["--namespaces", "a, b"]).contains("without spaces"));
    assert!(refusal(&["--allowed-roles", "arn"]).contains("expected NAMESPACE=VALUE"));
    assert!(refusal(&["--allowed-endpoints", "glue.example.com"]).contains("expected NAMESPACE=ENDPOINT"));
    assert!(refusal(&["--refused-arguments", "conf"]).contains("expected NAMESPACE=VALUE"));
    assert!(refusal(&["--run-key-argument", "key"]).contains("--kube-glue-run"));
    assert!(refusal(&["--start-settle", "20s"]).contains("longer than --aws-timeout"));
    assert!(refusal(&["--lease-duration", "500ms"]).contains("at least 1s"));
    assert!(refusal(&["--http-address", "8080"]).contains("--http-address"));
}

#[test]
fn the_url_of_the_receiver_is_put_together_as_openlineages_clients_do() {
    for (arguments, url) in [
        (&["--openlineage-url", "http://marquez:5000"][..], Some("http://marquez:5000/api/v1/lineage")),
        (&["--openlineage-url", "http://marquez:5000/"], Some("http://marquez:5000/api/v1/lineage")),
        (
            &["--openlineage-url", "https://h/base", "--openlineage-endpoint", "/openapi/openlineage/api/v1/lineage"],
            Some("https://h/base/openapi/openlineage/api/v1/lineage"),
        ),
        (&["--openlineage-url", ""], None),
        (&["--openlineage-url", "http://h", "--openlineage-disabled", "true"], None),
        (&["--openlineage-url", "http://h", "--openlineage-disabled", ""], Some("http://h/api/v1/lineage")),
    ] {
        let settings = options(arguments).unwrap().settings();
        assert_eq!(settings.open_lineage.map(|of| of.url).as_deref(), url, "{arguments:?}");
    }
    let named = options(&["--openlineage-url", "http://h", "--openlineage-namespace", "prod"]).unwrap().settings();
    assert_eq!(named.open_lineage.and_then(|of| of.namespace).as_deref(), Some("prod"));
    assert!(refusal(&["--openlineage-url", "marquez:5000"]).contains("like http://marquez:5000"));
    assert!(refusal(&["--openlineage-url", "http://"]).contains("like http://marquez:5000"));
    assert!(refusal(&["--openlineage-url", "http://u:p@h"]).contains("OPENLINEAGE_API_KEY"));
    assert!(refusal(&["--openlineage-disabled", "perhaps"]).contains("true or false"));
}

#[test]
fn every_flag_has_an_environment_variable() {
    for argument in Cli::command().get_arguments() {
        let Some(long) = argument.get_long() else {
            continue;
        };
        if matches!(long, "help" | "version") {
            continue;
        }
        let name = long.replace('-', "_").to_uppercase();
        // OpenLineage's clients know these variables by names of their own.
        let prefix = if name.starts_with("OPENLINEAGE_") { "" } else { "KUBE_GLUE_" };
        let expected = format!("{prefix}{name}");
        let actual = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        assert_eq!(actual, Some(expected), "--{long}");
    }
}
