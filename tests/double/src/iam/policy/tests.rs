use super::*;

#[test]
fn deny_overrides_allow_and_unlisted_actions_are_denied() {
    let policy = Policy { deny: owned(&["glue:StartJobRun"]), allow: Some(owned(&["glue:*"])) };
    assert!(policy.check("glue:GetJobRun").is_ok());
    assert!(policy.check("glue:StartJobRun").unwrap_err().contains("explicit deny"));
    assert!(policy.check("sts:AssumeRole").unwrap_err().contains("no identity-based policy"));
}

#[test]
fn a_star_matches_any_text() {
    assert!(matches("*", "glue:GetJob"));
    assert!(matches("glue:Get*", "glue:GetJob"));
    assert!(matches("glue:*Job", "glue:GetJob"));
    assert!(matches("glue:GetJob", "glue:GetJob"));
    assert!(!matches("glue:GetJob", "glue:GetJobRuns"));
    assert!(!matches("glue:Get*", "glue:StartJobRun"));
    assert!(!matches("glue:*Job", "glue:GetJobs"));
}
