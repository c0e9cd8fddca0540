//! The operations of STS.
//!
//! Temporary credentials expire by the real clock, because clients use that. A test can make them expire sooner
//! ([`Iam::cap_sessions`], [`Iam::expire_sessions`]).

mod assume_role;

use std::time::Duration;

use crate::{
    error::AwsError,
    iam::{Credential, Iam, Principal, Role},
    wire::aws_query::{Form, Xml},
};

/// The function of an action. It gets the principal when the request was signed.
pub type Run = fn(&Iam, Option<&Principal>, &Form) -> Result<Vec<Xml>, AwsError>;

/// An action of STS.
#[derive(Debug)]
pub struct Action {
    /// The name in the form field `Action`.
    pub name: &'static str,
    /// Whether the request must be signed.
    pub signed: bool,
    /// Handles a request; returns the elements of the result.
    pub run: Run,
}

const ACTIONS: &[Action] = &[
    Action { name: "AssumeRole", signed: true, run: assume_role::assume_role },
    Action { name: "AssumeRoleWithWebIdentity", signed: false, run: assume_role::with_web_identity },
    Action { name: "GetCallerIdentity", signed: true, run: caller_identity },
];

/// An action by its name.
#[must_use]
pub fn action(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}

fn caller_identity(_: &Iam, caller: Option<&Principal>, _: &Form) -> Result<Vec<Xml>, AwsError> {
    let caller = caller.ok_or_else(unsigned)?;
    Ok(vec![
        Xml::Text("Arn", caller.arn.to_string()),
        Xml::Text("UserId", caller.id.clone()),
        Xml::Text("Account", caller.account.to_string()),
    ])
}

fn unsigned() -> AwsError {
    AwsError::common("MissingAuthenticationToken", "Request is missing Authentication Token").status(403)
}

fn credentials(credential: &Credential) -> Xml {
    Xml::Node(
        "Credentials",
        vec![
            Xml::Text("AccessKeyId", credential.id.to_string()),
            Xml::Text("SecretAccessKey", credential.secret.clone()),
            Xml::Text("SessionToken", credential.token.clone().unwrap_or_default()),
            Xml::Text("Expiration", expiration(credential)),
        ],
    )
}

fn expiration(credential: &Credential) -> String {
    let expires = credential.expires.and_then(|expires| jiff::Timestamp::try_from(expires).ok()).unwrap_or_default();
    // Whole seconds, as STS writes them. Rounded down, so that a client renews in time.
    format!("{}", jiff::Timestamp::from_second(expires.as_second()).unwrap_or_default())
}

/// The answer of the container credentials endpoint (EKS Pod Identity): a session of the token's role.
pub(crate) fn container_credentials(iam: &Iam, token: &str) -> Option<serde_json::Value> {
    let role = iam.role(&iam.pod_identity(token)?)?;
    Some(session_credentials(iam, &role, &format!("eks-{}", crate::wire::random_hex(8))))
}

/// Credentials of a new session, in the form of the container and instance metadata endpoints.
pub(crate) fn session_credentials(iam: &Iam, role: &Role, name: &str) -> serde_json::Value {
    let principal = assume_role::session_principal(role, name, Vec::new(), Vec::new(), None);
    let credential = iam.start_session(principal, Duration::from_hours(6));
    serde_json::json!({
        "AccessKeyId": *credential.id,
        "SecretAccessKey": credential.secret,
        "Token": credential.token,
        "AccountId": role.account(),
        "Expiration": expiration(&credential),
    })
}
