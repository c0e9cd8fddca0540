//! The receiving side of Signature Version 4: parses and verifies the `Authorization` header.

#[cfg(test)]
mod tests;

use std::{fmt::Write as _, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use hyper::{HeaderMap, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::error::AwsError;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The greatest difference between a request's time and the real time.
const SKEW: Duration = Duration::from_mins(5);
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The fields of a request's `Authorization` header.
#[derive(Clone, Debug, PartialEq)]
pub struct Signed<'a> {
    /// The access key's id.
    pub access_key_id: &'a str,
    /// The date in the credential scope, `YYYYMMDD`.
    pub date: &'a str,
    /// The region in the credential scope.
    pub region: &'a str,
    /// The service in the credential scope.
    pub service: &'a str,
    /// The names of the signed headers, separated by semicolons.
    pub signed_headers: &'a str,
    /// The signature in hexadecimal digits.
    pub signature: &'a str,
}

impl<'a> Signed<'a> {
    /// Parses the `Authorization` header.
    pub fn read(headers: &'a HeaderMap) -> Result<Self, AwsError> {
        let missing = || AwsError::common("MissingAuthenticationTokenException", "Missing Authentication Token");
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
        let incomplete = |what: &str| {
            AwsError::common(
                "IncompleteSignatureException",
                format!("Authorization header requires '{what}' parameter."),
            )
        };
        let fields = value.strip_prefix(ALGORITHM).ok_or_else(|| incomplete("Algorithm"))?;
        let field = |name: &'static str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
                .ok_or_else(|| incomplete(name))
        };
        let credential = field("Credential")?;
        let mut scope = credential.split('/');
        let mut part = || scope.next().filter(|part| !part.is_empty()).ok_or_else(|| incomplete("Credential"));
        Ok(Self {
            access_key_id: part()?,
            date: part()?,
            region: part()?,
            service: part()?,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
        })
    }

    /// The signing key of this credential scope.
    #[must_use]
    pub fn signing_key(&self, secret: &str) -> [u8; 32] {
        let date = hmac(format!("AWS4{secret}").as_bytes(), self.date.as_bytes());
        let region = hmac(&date, self.region.as_bytes());
        let service = hmac(&region, self.service.as_bytes());
        hmac(&service, b"aws4_request")
    }

    /// Checks the signature, and that its time is within 5 minutes of the real time.
    pub fn verify(&self, request: &SignedParts<'_>, key: &[u8; 32]) -> Result<(), AwsError> {
        let wrong = |message: String| AwsError::common("InvalidSignatureException", message);
        let time = request.headers.get("x-amz-date").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let made = jiff::fmt::strtime::parse("%Y%m%dT%H%M%S", time.trim_end_matches('Z'))
            .and_then(|parsed| parsed.to_datetime())
            .and_then(|datetime| datetime.to_zoned(jiff::tz::TimeZone::UTC))
            .map_err(|_| wrong(format!("Date in header X-Amz-Date is not valid: '{time}'")))?
            .timestamp();
        let now = jiff::Timestamp::now();
        if now.duration_since(made).unsigned_abs() > SKEW {
            return Err(wrong(format!("Signature expired: {made} is not within 5 min. of {now}")));
        }
        if !time.starts_with(self.date) {
            return Err(wrong(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{}' != '{}'",
                self.date,
                time.get(..8).unwrap_or_default()
            )));
        }
        let signature = hex::decode(self.signature).unwrap_or_default();
        self.mac(request, key, time)?.verify_slice(&signature).map_err(|_| {
            wrong(
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details."
                    .to_owned(),
            )
        })
    }

    /// The right signature of this request at `time` (`YYYYMMDDTHHMMSSZ`).
    pub fn signature_of(&self, request: &SignedParts<'_>, key: &[u8; 32], time: &str) -> Result<String, AwsError> {
        Ok(hex::encode(self.mac(request, key, time)?.finalize().into_bytes()))
    }

    fn mac(&self, request: &SignedParts<'_>, key: &[u8; 32], time: &str) -> Result<Hmac<Sha256>, AwsError> {
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let canonical = hex::encode(Sha256::digest(request.canonical(self.signed_headers)?));
        let mut mac = new_hmac(key);
        mac.update(format!("{ALGORITHM}\n{time}\n{scope}\n{canonical}").as_bytes());
        Ok(mac)
    }
}

/// The parts of a request that a signature covers.
#[derive(Clone, Copy, Debug)]
pub struct SignedParts<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The path, as sent.
    pub path: &'a str,
    /// The query, as sent, without the question mark.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

impl SignedParts<'_> {
    fn canonical(&self, signed_headers: &str) -> Result<String, AwsError> {
        let payload = hex::encode(Sha256::digest(self.body));
        let declared = self.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
        if declared.is_some_and(|declared| declared != payload && declared != "UNSIGNED-PAYLOAD") {
            return Err(AwsError::common(
                "InvalidSignatureException",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        let mut query: Vec<(String, String)> = form_urlencoded::parse(self.query.as_bytes())
            .map(|(name, value)| (encode(&name), encode(&value)))
            .collect();
        query.sort();
        let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path: Vec<String> = self.path.split('/').map(|part| encode(&decode(part))).collect();
        let mut canonical = format!("{}\n{}\n{}\n", self.method, path.join("/"), query.join("&"));
        for name in signed_headers.split(';') {
            let values: Vec<String> =
                self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).map(collapse).collect();
            let _ = writeln!(canonical, "{name}:{}", values.join(","));
        }
        let _ = write!(canonical, "\n{signed_headers}\n{}", declared.unwrap_or(&payload));
        Ok(canonical)
    }
}

fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn collapse(value: &str) -> String {
    value.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn new_hmac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("any length is a key")
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = new_hmac(key);
    mac.update(data);
    mac.finalize().into_bytes().into()
}
