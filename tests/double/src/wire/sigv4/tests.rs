use super::*;

/// The worked example of "Create a signed AWS API request" in the IAM user guide.
#[test]
fn the_example_of_the_iam_user_guide_has_its_documented_signature() {
    let mut headers = HeaderMap::new();
    headers.insert("host", "iam.amazonaws.com".parse().unwrap());
    headers.insert("content-type", "application/x-www-form-urlencoded; charset=utf-8".parse().unwrap());
    headers.insert("x-amz-date", "20150830T123600Z".parse().unwrap());
    headers.insert(
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
            .parse()
            .unwrap(),
    );
    let signed = Signed::read(&headers).unwrap();
    assert_eq!((signed.access_key_id, signed.region, signed.service), ("AKIDEXAMPLE", "us-east-1", "iam"));
    let parts = SignedParts {
        method: "GET",
        path: "/",
        query: "Action=ListUsers&Version=2010-05-08",
        headers: &headers,
        body: b"",
    };
    let canonical = hex::encode(Sha256::digest(parts.canonical(signed.signed_headers).unwrap()));
    assert_eq!(canonical, "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
    let key = signed.signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    assert_eq!(hex::encode(key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    assert_eq!(signed.signature_of(&parts, &key, "20150830T123600Z").unwrap(), signed.signature);
    let refused = signed.verify(&parts, &key).unwrap_err();
    assert!(refused.message.starts_with("Signature expired"), "{refused}");
}

#[test]
fn the_error_names_the_missing_part_of_the_header() {
    let mut headers = HeaderMap::new();
    assert_eq!(Signed::read(&headers).unwrap_err().code, "MissingAuthenticationTokenException");
    headers.insert("authorization", "AWS4-HMAC-SHA256 Credential=A/B/C/D/aws4_request".parse().unwrap());
    let error = Signed::read(&headers).unwrap_err();
    assert_eq!(error.code, "IncompleteSignatureException");
    assert!(error.message.contains("SignedHeaders"));
}
