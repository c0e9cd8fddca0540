//! STS's constraints on the parameters of `AssumeRole`. An error never contains the value.
//!
//! Source: AWS STS API reference, `AssumeRole`, "Request Parameters" and `Tag`; IAM user guide, "IAM identifiers".

use super::region::partition_of;

/// The most tags that a session may have.
pub(super) const MAX_TAGS: usize = 50;

/// An error is the predicate of a sentence whose subject is the setting.
pub(super) type Check = Result<(), &'static str>;

/// `arn:<partition>:iam::<account>:role/<path/><name>`
pub(super) fn role_arn(arn: &str) -> Check {
    let invalid = Err("is not the ARN of a role, such as arn:aws:iam::111122223333:role/name");
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [scheme, partition, service, region, account, resource] = parts[..] else { return invalid };
    let Some(path) = resource.strip_prefix("role/") else { return invalid };
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_partition = partition == "aws"
        || partition.strip_prefix("aws-").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
    let is_iam = scheme == "arn" && is_partition && service == "iam" && region.is_empty();
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let is_name = (1..=64).contains(&name.len()) && name.chars().all(is_word);
    if is_iam && is_account && is_name && folders.bytes().all(|b| b.is_ascii_graphic()) && arn.len() <= 2048 {
        Ok(())
    } else {
        invalid
    }
}

/// A session name, or a source identity.
pub(super) fn session_name(name: &str) -> Check {
    if (2..=64).contains(&name.len()) && name.chars().all(is_word) {
        Ok(())
    } else {
        Err("must be 2 to 64 letters, digits and any of _+=,.@-")
    }
}

/// Whether an HTTP header takes the text as its value: visible ASCII characters.
pub(crate) fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A part of an access key that goes into a header of every request.
pub(super) fn header_value(text: &str) -> Check {
    if is_header_value(text) {
        Ok(())
    } else {
        Err("contains characters other than visible ASCII ones: store the value as AWS issued it")
    }
}

pub(super) fn external_id(id: &str) -> Check {
    if (2..=1224).contains(&id.len()) && id.chars().all(|c| is_word(c) || matches!(c, ':' | '/')) {
        Ok(())
    } else {
        Err("must be 2 to 1224 letters, digits and any of _+=,.@:/-")
    }
}

pub(super) fn tag_key(key: &str) -> Check {
    // Lower case maps other letters to the same one, such as the Kelvin sign to k.
    let lower = key.to_lowercase();
    if lower.starts_with("kube-glue-") {
        Err("has a key that begins with kube-glue-, which is reserved for the controller")
    } else if lower.starts_with("aws:") {
        Err("has a key that begins with aws:, which AWS reserves")
    } else if (1..=128).contains(&key.chars().count()) && key.chars().all(is_tag) {
        Ok(())
    } else {
        Err("has a key that STS does not allow: use 1 to 128 letters, digits, spaces and any of _.:/=+-@")
    }
}

pub(super) fn tag_value(value: &str) -> Check {
    if value.chars().count() <= 256 && value.chars().all(is_tag) {
        Ok(())
    } else {
        Err("has a value that STS does not allow: use up to 256 letters, digits, spaces and any of _.:/=+-@")
    }
}

pub(super) fn duration(seconds: i32) -> Check {
    if (900..=43_200).contains(&seconds) { Ok(()) } else { Err("must be 900 to 43200") }
}

/// The name of a region. It becomes part of a host name, so nothing else is allowed in it.
pub(super) fn region(region: &str) -> Check {
    let mut parts = region.split('-');
    let area = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    let is_area = area.len() >= 2 && area.bytes().all(|b| b.is_ascii_lowercase());
    let has_more = rest.peek().is_some();
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if is_area && has_more && region.len() <= 32 && rest.all(|part| !part.is_empty() && part.bytes().all(alphanumeric))
    {
        Ok(())
    } else {
        Err("is not the name of a region, such as eu-west-1")
    }
}

/// A role can be assumed only in its own partition.
pub(super) fn same_partition(arn: &str, region: &str) -> Check {
    let partition = arn.split(':').nth(1).unwrap_or_default();
    let special = ["aws-cn", "aws-us-gov"];
    let of_region = partition_of(region);
    if partition == of_region || !(special.contains(&partition) || special.contains(&of_region)) {
        Ok(())
    } else {
        Err("is in another AWS partition than the region: a role can be assumed only in its own partition")
    }
}

/// `\w` and `+=,.@-`
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

/// Letters, digits and spaces of any script, and `_.:/=+-@`.
fn is_tag(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}
