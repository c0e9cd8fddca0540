use super::*;

#[test]
fn each_account_region_and_operation_has_its_own_bucket() {
    let limits = Limits::default();
    limits.set("GetJobRuns", 0.0, 2);
    let admit =
        |account: &str, region: &str, operation: &str| limits.admit(&account.into(), &region.into(), &operation.into());
    assert!(admit("1", "eu-west-1", "GetJobRuns"));
    assert!(admit("1", "eu-west-1", "GetJobRuns"));
    assert!(!admit("1", "eu-west-1", "GetJobRuns"));
    assert!(admit("1", "us-east-1", "GetJobRuns"));
    assert!(admit("2", "eu-west-1", "GetJobRuns"));
    assert!(admit("1", "eu-west-1", "GetJobRun"));
    limits.clear();
    assert!(admit("1", "eu-west-1", "GetJobRuns"));
}
