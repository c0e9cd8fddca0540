//! S3, as far as scripts of jobs need it: buckets and objects, by paths (`/bucket/key`).
//!
//! Source: S3 API reference, "GetObject", "PutObject", "CreateBucket" and "Error responses".

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use bytes::Bytes;
use hyper::{Method, http::request::Parts};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;

use crate::{
    error::AwsError,
    iam::{Iam, Principal},
    wire::{HttpAnswer, rest_xml},
};

/// The name in signatures and in IAM actions.
pub(crate) const SERVICE: &str = "s3";

/// The objects of all buckets, by bucket and key.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<HashMap<String, HashMap<String, Bytes>>>);

impl Buckets {
    pub(crate) fn create(&self, bucket: &str) {
        self.0.lock().entry(bucket.to_owned()).or_default();
    }

    /// Puts an object into a bucket; `false` if the bucket does not exist.
    pub(crate) fn put(&self, bucket: &str, key: &str, content: Bytes) -> bool {
        let mut buckets = self.0.lock();
        let bucket = buckets.get_mut(bucket);
        bucket.map(|objects| objects.insert(key.to_owned(), content)).is_some()
    }

    /// An object; `None` if there is none of the key.
    fn get(&self, bucket: &str, key: &str) -> Result<Option<Bytes>, AwsError> {
        let buckets = self.0.lock();
        Ok(buckets.get(bucket).ok_or_else(no_bucket)?.get(key).cloned())
    }
}

/// An operation that a request calls.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    CreateBucket,
    PutObject,
    GetObject,
    Unknown,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct S3Call {
    operation: Operation,
    bucket: String,
    key: String,
    body: Bytes,
}

impl S3Call {
    pub(crate) fn read(parts: &Parts, body: &Bytes) -> Self {
        let path = percent_decode_str(parts.uri.path().trim_start_matches('/')).decode_utf8_lossy().into_owned();
        let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
        let operation = match (&parts.method, key.is_empty()) {
            (&Method::PUT, true) => Operation::CreateBucket,
            (&Method::PUT, false) => Operation::PutObject,
            (&Method::GET, false) => Operation::GetObject,
            _ => Operation::Unknown,
        };
        Self { operation, bucket: bucket.to_owned(), key: key.to_owned(), body: body.clone() }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.operation {
            Operation::CreateBucket => "CreateBucket",
            Operation::PutObject => "PutObject",
            Operation::GetObject => "GetObject",
            Operation::Unknown => "Unknown",
        }
    }

    /// `bucket/key`, or the bucket.
    pub(crate) fn subject(&self) -> String {
        if self.key.is_empty() { self.bucket.clone() } else { format!("{}/{}", self.bucket, self.key) }
    }

    pub(crate) fn run(&self, buckets: &Buckets, iam: &Iam, caller: &Principal) -> Result<HttpAnswer, AwsError> {
        let Self { operation, bucket, key, body } = self;
        if *operation == Operation::Unknown {
            return Err(
                AwsError::common("NotImplemented", "The double does not know this operation of S3.").status(501)
            );
        }
        let allow = |action: &str, subject: &str| {
            iam.authorize(caller, &format!("s3:{action}"), &format!("arn:aws:s3:::{subject}")).map_err(as_s3)
        };
        allow(self.name(), &self.subject())?;
        match operation {
            Operation::CreateBucket => buckets.create(bucket),
            Operation::PutObject => {
                if !buckets.put(bucket, key, body.clone()) {
                    return Err(no_bucket());
                }
            }
            Operation::GetObject | Operation::Unknown => {
                let Some(object) = buckets.get(bucket, key)? else {
                    // Who may not list the bucket does not learn whether there is such an object.
                    allow("ListBucket", bucket)?;
                    return Err(AwsError::common("NoSuchKey", "The specified key does not exist.").status(404));
                };
                return Ok(rest_xml::answer(object));
            }
        }
        Ok(rest_xml::answer(Bytes::new()))
    }
}

fn no_bucket() -> AwsError {
    AwsError::common("NoSuchBucket", "The specified bucket does not exist").status(404)
}

/// The error with the code and HTTP status that S3 uses for it.
pub(crate) fn as_s3(error: AwsError) -> AwsError {
    let (code, status) = match &*error.code {
        "UnrecognizedClientException" => ("InvalidAccessKeyId", 403),
        "InvalidSignatureException" => ("SignatureDoesNotMatch", 403),
        "MissingAuthenticationTokenException" | "AccessDeniedException" => ("AccessDenied", 403),
        "IncompleteSignatureException" => ("AuthorizationHeaderMalformed", 400),
        "ExpiredTokenException" => ("ExpiredToken", 400),
        "ThrottlingException" => ("SlowDown", 503),
        "InternalServiceException" => ("InternalError", 500),
        _ => return error,
    };
    AwsError { code: code.into(), status, ..error }
}
