//! The identity that AWS reports for a client, and whether AWS accepts its credentials.

use crate::glue::{Error, ErrorKind};

/// The response of STS's `GetCallerIdentity`, or the same facts from `AssumeRole`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The account id.
    pub account_id: String,
    /// The ARN of the user, or of the session of the role.
    pub principal_arn: String,
}

/// What AWS has said of the credentials of a client, last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acceptance {
    /// Nothing yet.
    #[default]
    Unknown,
    /// AWS knows them.
    Accepted,
    /// AWS does not know them, they have expired, or they may not assume the role.
    Refused,
}

impl Acceptance {
    /// What the answer to a call says of the credentials that signed it; [`Acceptance::Unknown`] when it says nothing.
    #[must_use]
    pub fn of(answer: Result<(), &Error>) -> Self {
        let error = match answer {
            Ok(()) => return Self::Accepted,
            Err(error) => error,
        };
        match error.kind {
            ErrorKind::ExpiredCredentials => Self::Refused,
            // STS does not tell a role that does not exist from one that trusts somebody else.
            ErrorKind::Denied if error.operation == "AssumeRole" => Self::Refused,
            // AWS verifies the signature first.
            ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Busy
            | ErrorKind::Denied
            | ErrorKind::LimitExceeded
                if error.operation != "AssumeRole" =>
            {
                Self::Accepted
            }
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_verified_the_signature_accepts_the_credentials() {
        for (operation, kind, expected) in [
            ("GetConnections", ErrorKind::ExpiredCredentials, Acceptance::Refused),
            ("GetConnections", ErrorKind::Denied, Acceptance::Accepted),
            ("GetConnections", ErrorKind::NotFound, Acceptance::Accepted),
            ("GetConnections", ErrorKind::Throttled, Acceptance::Unknown),
            ("GetConnections", ErrorKind::Ambiguous, Acceptance::Unknown),
            ("GetConnections", ErrorKind::Transient, Acceptance::Unknown),
            ("GetConnections", ErrorKind::Invalid, Acceptance::Unknown),
            ("AssumeRole", ErrorKind::Denied, Acceptance::Refused),
            ("AssumeRole", ErrorKind::ExpiredCredentials, Acceptance::Refused),
            ("AssumeRole", ErrorKind::Throttled, Acceptance::Unknown),
            ("AssumeRole", ErrorKind::LimitExceeded, Acceptance::Unknown),
        ] {
            let (object, code, message) = (String::new(), String::new(), String::new());
            let error = Error { operation, object, kind, code, message };
            assert_eq!(Acceptance::of(Err(&error)), expected, "{operation} {kind:?}");
        }
        assert_eq!(Acceptance::of(Ok(())), Acceptance::Accepted);
    }
}
