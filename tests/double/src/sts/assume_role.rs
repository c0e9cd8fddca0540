//! `AssumeRole` and `AssumeRoleWithWebIdentity`.

use std::{sync::LazyLock, time::Duration};

use regex::Regex;

use super::{credentials, unsigned};
use crate::{
    error::AwsError,
    iam::{Iam, Principal, Role, Session},
    wire::{
        aws_query::{Form, Xml},
        random_hex,
    },
};

/// The longest session that a session of a role can start (role chaining).
const MAX_CHAINED_SESSION: Duration = Duration::from_hours(1);

#[expect(clippy::expect_used, reason = "constant patterns, and tests use them")]
mod patterns {
    use super::{LazyLock, Regex};

    pub static SESSION_NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\w+=,.@-]*$").expect("a regular expression"));
    pub static EXTERNAL_ID: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\w+=,.@:/-]*$").expect("a regular expression"));
    pub static TAG: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$").expect("a regular expression"));
}

pub(super) fn assume_role(iam: &Iam, caller: Option<&Principal>, form: &Form) -> Result<Vec<Xml>, AwsError> {
    let caller = caller.ok_or_else(unsigned)?;
    let arn = text(form, "RoleArn", 20, 2048, None)?.ok_or_else(|| missing("RoleArn"))?;
    let name = text(form, "RoleSessionName", 2, 64, Some(&patterns::SESSION_NAME))?
        .ok_or_else(|| missing("RoleSessionName"))?;
    let external_id = text(form, "ExternalId", 2, 1224, Some(&patterns::EXTERNAL_ID))?;
    let source_identity = text(form, "SourceIdentity", 2, 64, Some(&patterns::SESSION_NAME))?;
    let requested_tags = tags(form)?;
    let session_duration = duration(form)?;

    let denied = |action: &str| {
        AwsError::common(
            "AccessDenied",
            format!("User: {} is not authorized to perform: sts:{action} on resource: {arn}", caller.arn),
        )
        .status(403)
    };
    let role = iam.role(arn).ok_or_else(|| denied("AssumeRole"))?;
    let inherited = caller.session.as_ref();
    let tags = with_inherited(requested_tags.clone(), inherited)?;
    if !role.trusts_principal(caller) || !role.accepts_external_id(external_id) || !role.has_required_tags(&tags) {
        return Err(denied("AssumeRole"));
    }
    if iam.authorize(caller, "sts:AssumeRole", arn).is_err() {
        return Err(denied("AssumeRole"));
    }
    if !role.accepts_tags(&requested_tags) {
        return Err(denied("TagSession"));
    }
    let inherited_identity = inherited.and_then(|session| session.source_identity.as_deref());
    if source_identity.is_some() && !role.accepts_source_identity() {
        return Err(denied("SetSourceIdentity"));
    }
    if let (Some(asked), Some(kept)) = (source_identity, inherited_identity)
        && asked != kept
    {
        return Err(denied("SetSourceIdentity"));
    }
    if inherited.is_some() && session_duration > MAX_CHAINED_SESSION {
        return Err(validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    if session_duration > role.max_session_duration() {
        return Err(validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
    }
    let mut transitive: Vec<String> = form.list("TransitiveTagKeys").into_iter().map(ToOwned::to_owned).collect();
    if let Some(key) = transitive.iter().find(|key| !requested_tags.iter().any(|(tag, _)| tag == *key)) {
        return Err(invalid(format!("The transitive tag key {key} is not among the session tags.")));
    }
    transitive.extend(inherited.into_iter().flat_map(|session| session.transitive.clone()));
    let identity = source_identity.or(inherited_identity).map(ToOwned::to_owned);
    let principal = session_principal(&role, name, tags, transitive, identity.clone());
    Ok(result(iam, principal, session_duration, identity, Vec::new()))
}

pub(super) fn with_web_identity(iam: &Iam, _: Option<&Principal>, form: &Form) -> Result<Vec<Xml>, AwsError> {
    let arn = text(form, "RoleArn", 20, 2048, None)?.ok_or_else(|| missing("RoleArn"))?;
    let name = text(form, "RoleSessionName", 2, 64, Some(&patterns::SESSION_NAME))?
        .ok_or_else(|| missing("RoleSessionName"))?;
    let token = form.get("WebIdentityToken").ok_or_else(|| missing("WebIdentityToken"))?;
    let session_duration = duration(form)?;
    let subject = iam
        .web_identity(token)
        .ok_or_else(|| AwsError::common("InvalidIdentityToken", "The token is not known to its identity provider"))?;
    let role = iam.role(arn).filter(|role| role.trusts_subject(&subject)).ok_or_else(|| {
        AwsError::common("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity").status(403)
    })?;
    if session_duration > role.max_session_duration() {
        return Err(validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
    }
    let principal = session_principal(&role, name, Vec::new(), Vec::new(), None);
    Ok(result(iam, principal, session_duration, None, vec![Xml::Text("SubjectFromWebIdentityToken", subject)]))
}

/// The principal of a session of a role.
pub(super) fn session_principal(
    role: &Role,
    name: &str,
    tags: Vec<(String, String)>,
    transitive: Vec<String>,
    source_identity: Option<String>,
) -> Principal {
    Principal {
        account: role.account().into(),
        arn: format!("arn:aws:sts::{}:assumed-role/{}/{name}", role.account(), role.name()).into(),
        id: format!("AROA{}:{name}", random_hex(17).to_uppercase()),
        session: Some(Session { role: role.arn.clone(), name: name.to_owned(), tags, transitive, source_identity }),
    }
}

fn result(
    iam: &Iam,
    principal: Principal,
    session_duration: Duration,
    identity: Option<String>,
    more: Vec<Xml>,
) -> Vec<Xml> {
    let user = Xml::Node(
        "AssumedRoleUser",
        vec![Xml::Text("AssumedRoleId", principal.id.clone()), Xml::Text("Arn", principal.arn.to_string())],
    );
    let credential = iam.start_session(principal, session_duration);
    let mut result = vec![credentials(&credential), user];
    result.extend(identity.map(|identity| Xml::Text("SourceIdentity", identity)));
    result.extend(more);
    result
}

fn duration(form: &Form) -> Result<Duration, AwsError> {
    let Some(text) = form.get("DurationSeconds") else {
        return Ok(Duration::from_hours(1));
    };
    let seconds: i64 = text
        .parse()
        .map_err(|_| AwsError::common("MalformedInput", format!("DurationSeconds is not a number: {text}")))?;
    let bound = match seconds {
        ..900 => "greater than or equal to 900",
        43_201.. => "less than or equal to 43200",
        _ => return Ok(Duration::from_secs(seconds.unsigned_abs())),
    };
    Err(violation(&seconds.to_string(), "durationSeconds", &format!("Member must have value {bound}")))
}

fn tags(form: &Form) -> Result<Vec<(String, String)>, AwsError> {
    let tags = form.pairs("Tags");
    if tags.len() > 50 {
        return Err(violation("[...]", "tags", "Member must have length less than or equal to 50"));
    }
    for (n, (key, value)) in tags.iter().enumerate() {
        let length = key.chars().count();
        if !(1..=128).contains(&length) || !patterns::TAG.is_match(key) {
            let path = format!("tags.{}.member.key", n + 1);
            return Err(violation(key, &path, "Member must have length less than or equal to 128"));
        }
        if value.chars().count() > 256 || !patterns::TAG.is_match(value) {
            let path = format!("tags.{}.member.value", n + 1);
            return Err(violation(value, &path, "Member must have length less than or equal to 256"));
        }
        if tags[..n].iter().any(|(other, _)| other.eq_ignore_ascii_case(key)) {
            return Err(invalid(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.".to_owned(),
            ));
        }
    }
    Ok(tags)
}

/// The tags of a new session, with the transitive tags of the caller's session.
fn with_inherited(
    mut tags: Vec<(String, String)>,
    caller: Option<&Session>,
) -> Result<Vec<(String, String)>, AwsError> {
    for key in caller.into_iter().flat_map(|session| &session.transitive) {
        if tags.iter().any(|(tag, _)| tag.eq_ignore_ascii_case(key)) {
            return Err(invalid(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag \
                 key from the calling session."
                    .to_owned(),
            ));
        }
    }
    if let Some(session) = caller {
        tags.extend(session.tags.iter().filter(|(key, _)| session.transitive.contains(key)).cloned());
    }
    Ok(tags)
}

fn text<'a>(
    form: &'a Form,
    name: &str,
    min: usize,
    max: usize,
    pattern: Option<&Regex>,
) -> Result<Option<&'a str>, AwsError> {
    let Some(text) = form.get(name) else {
        return Ok(None);
    };
    let mut letters = name.chars();
    let path: String = letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect();
    let length = text.chars().count();
    if length < min {
        let constraint = format!("Member must have length greater than or equal to {min}");
        return Err(violation(text, &path, &constraint));
    }
    if length > max {
        return Err(violation(text, &path, &format!("Member must have length less than or equal to {max}")));
    }
    if let Some(pattern) = pattern.filter(|pattern| !pattern.is_match(text)) {
        let shown = pattern.as_str().trim_start_matches('^').trim_end_matches('$');
        return Err(violation(text, &path, &format!("Member must satisfy regular expression pattern: {shown}")));
    }
    Ok(Some(text))
}

fn missing(name: &str) -> AwsError {
    let mut letters = name.chars();
    let path: String = letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect();
    validation(&format!(
        "1 validation error detected: Value null at '{path}' failed to satisfy constraint: Member must not be null"
    ))
}

fn violation(value: &str, path: &str, constraint: &str) -> AwsError {
    validation(&format!(
        "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"
    ))
}

fn validation(message: &str) -> AwsError {
    AwsError::common("ValidationError", message)
}

fn invalid(message: String) -> AwsError {
    AwsError::common("InvalidParameterValue", message)
}
