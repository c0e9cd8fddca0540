use hyper::Request;

use super::*;
use crate::iam::{DEFAULT_ACCOUNT, Policy};

fn call(method: Method, path: &str, body: &'static str) -> S3Call {
    let (parts, ()) = Request::builder().method(method).uri(path).body(()).unwrap().into_parts();
    S3Call::read(&parts, &Bytes::from_static(body.as_bytes()))
}

#[test]
fn an_object_is_read_as_it_was_put_and_what_is_not_there_is_said_to_who_may_list() {
    let (buckets, iam) = (Buckets::default(), Iam::default());
    let key = iam.new_access_key(DEFAULT_ACCOUNT, "etl");
    let caller = iam.credential(&key.id).unwrap().principal.clone();
    let run = |method: Method, path: &str, body| call(method, path, body).run(&buckets, &iam, &caller);
    let code = |result: Result<HttpAnswer, AwsError>| result.map(|_| ()).unwrap_err().code.into_owned();
    assert_eq!(code(run(Method::GET, "/scripts/etl.py", "")), "NoSuchBucket");
    assert_eq!(code(run(Method::PUT, "/scripts/etl.py", "x")), "NoSuchBucket");
    run(Method::PUT, "/scripts", "").unwrap();
    assert_eq!(code(run(Method::GET, "/scripts/a%20b/etl.py", "")), "NoSuchKey");
    run(Method::PUT, "/scripts/a%20b/etl.py", "import sys").unwrap();
    assert_eq!(call(Method::GET, "/scripts/a%20b/etl.py?x-id=GetObject", "").subject(), "scripts/a b/etl.py");
    assert_eq!(buckets.get("scripts", "a b/etl.py"), Ok(Some(Bytes::from_static(b"import sys"))));
    assert_eq!(code(run(Method::DELETE, "/scripts/etl.py", "")), "NotImplemented");
    iam.set_policy(&caller.arn, Policy::deny(&["s3:ListBucket"]));
    assert_eq!(code(run(Method::GET, "/scripts/other.py", "")), "AccessDenied");
    assert!(run(Method::GET, "/scripts/a%20b/etl.py", "").is_ok());
}
