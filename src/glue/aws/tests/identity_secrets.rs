//! The secrets of an identity reach no header that is not theirs, and no text that is shown.

use std::sync::Arc;

use serde_json::json;

use super::fixture::{Answers, block_on, client, identity, session};
use crate::glue::error::ErrorKind;
use crate::glue::identity::{Role, Sensitive};

#[test]
fn the_key_of_a_session_that_no_header_takes_is_an_error_and_no_panic() {
    for (id, token) in [("AKIA1\nX-Evil: 1", "token"), ("AKIAé", "token"), ("", "token"), ("AKIA1", "to\nken")] {
        let sts =
            session(id, "secret-of-the-session", token, "2999-01-01T00:00:00Z", "arn:aws:sts::1:assumed-role/x/y");
        let answers = Answers::new(200, sts, "{}");
        let headers = Arc::clone(&answers.headers);
        let error = block_on(async { client(identity(true), answers).await.job_run("etl", "jr_1").await.unwrap_err() });
        assert_eq!((error.operation, error.kind), ("AssumeRole", ErrorKind::Transient), "{error}");
        assert!(error.message.contains("no HTTP header takes"), "{error}");
        assert!(!headers.lock().unwrap().contains("X-Evil"));
    }
}

#[test]
fn no_secret_of_the_identity_is_in_what_aws_says() {
    let (id, secret, token) = ("ASIASESSION", "secret-of-the-session", "FwoGZXIvYXdzEHcaDGt1YmU");
    let sts = session(id, secret, token, "2999-01-01T00:00:00Z", "arn:aws:sts::222222222222:assumed-role/etl/x");
    for secret in [id, secret, token, "hush-hush", "AKIA1", "tenant-7"] {
        let said = format!(
            "token {secret}, and again as {}",
            crate::redaction::tests::base64(secret.as_bytes(), false, false, false)
        );
        let refusal = json!({"__type": format!("{secret}Exception"), "message": said}).to_string();
        let error = block_on(async {
            client(identity(true), Answers::new(400, sts.clone(), refusal))
                .await
                .job_run("etl", "jr_1")
                .await
                .unwrap_err()
        });
        assert_eq!(
            (error.code.as_str(), error.message.as_str()),
            ("Unknown", "token [hidden], and again as [hidden]"),
            "{error}"
        );
        let run = json!({"JobRun": {"Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": said, "StateDetail": said}});
        let run = block_on(async {
            client(identity(true), Answers::new(200, sts.clone(), run.to_string()))
                .await
                .job_run("etl", "jr_1")
                .await
                .unwrap()
        });
        assert!(![run.error_message, run.state_detail].into_iter().flatten().any(|words| words.contains(secret)));
    }
}

#[test]
fn a_message_is_withheld_from_an_identity_with_a_short_external_id_and_its_code_is_kept() {
    let mut identity = identity(true);
    let short = Some(Sensitive::new("x7".to_owned()));
    identity.role = identity.role.map(|role| Role { external_id: short, ..role });
    let sts = session("ASIASESSION", "secret-of-the-session", "token", "2999-01-01T00:00:00Z", "arn:aws:sts::1:x/y/z");
    let refusal = json!({"__type": "AlreadyExistsException", "message": "x7 exists"}).to_string();
    let error = block_on(async {
        client(identity, Answers::new(400, sts, refusal)).await.job_run("etl", "jr_1").await.unwrap_err()
    });
    assert_eq!((error.code.as_str(), error.kind), ("AlreadyExistsException", ErrorKind::Conflict));
    assert!(error.message.contains("withheld"), "{error}");
}
