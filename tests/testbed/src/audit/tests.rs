use super::parse;

#[test]
fn a_line_is_parsed_and_an_incomplete_line_is_skipped() {
    let line = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1",
        "stage":"ResponseComplete","requestURI":"/apis/kube-glue.dev/v1alpha1/namespaces/a/gluejobruns/x/status",
        "verb":"patch","user":{"username":"system:serviceaccount:a:glue","groups":["system:authenticated"]},
        "sourceIPs":["127.0.0.1"],"userAgent":"kube-glue","objectRef":{"resource":"gluejobruns",
        "namespace":"a","name":"x","apiGroup":"kube-glue.dev","apiVersion":"v1alpha1","subresource":"status"},
        "responseStatus":{"metadata":{},"code":409},
        "requestReceivedTimestamp":"2026-01-01T00:00:00.000000Z","stageTimestamp":"2026-01-01T00:00:00.000001Z"}"#;
    let entry = parse(&line.replace('\n', "")).unwrap();
    assert_eq!((entry.verb.as_str(), entry.subresource.as_str(), entry.code), ("patch", "status", 409));
    assert_eq!(entry.user, "system:serviceaccount:a:glue");
    assert!(parse(r#"{"kind":"Event","verb":"#).is_none());
}
