//! Where the script of a job is. Pure.

use std::fmt;

/// An object in S3.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScriptLocation {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
}

impl ScriptLocation {
    /// Reads `s3://bucket/key`, also with Hadoop's schemes `s3a` and `s3n`. `None` for anything else.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.trim().split_once("://")?;
        let (bucket, key) = rest.split_once('/')?;
        let is_s3 = ["s3", "s3a", "s3n"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        // S3 user guide, "General purpose bucket naming rules": what else is in a name may lead to another host.
        let is_bucket = (3..=63).contains(&bucket.len())
            && bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'));
        let is_known = is_s3 && is_bucket && !key.is_empty();
        is_known.then(|| Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for ScriptLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_names_a_bucket_and_a_key() {
        for (uri, expected) in [
            ("s3://my-scripts/jobs/etl.py", Some(("my-scripts", "jobs/etl.py"))),
            (" S3A://b.c-1/x ", Some(("b.c-1", "x"))),
            ("s3://bucket", None),
            ("s3://bucket/", None),
            ("s3:///key", None),
            ("s3://user@evil.example/x", None),
            ("s3://arn:aws:s3:eu-west-1:1:accesspoint/x", None),
            ("s3://ab/x", None),
            ("https://bucket/key", None),
            ("etl.py", None),
        ] {
            let location = ScriptLocation::parse(uri);
            assert_eq!(
                location.map(|l| (l.bucket, l.key)),
                expected.map(|(b, k)| (b.to_owned(), k.to_owned())),
                "{uri}"
            );
        }
    }
}
