//! What the credentials may do, as calls show that change nothing.

use super::{Error, ErrorKind};

/// What AWS answered to a call about a name that does not exist.
#[derive(Clone, Debug, PartialEq)]
pub enum Permission {
    /// AWS allowed the call, which had nothing to do.
    Allowed,
    /// IAM denied the call.
    Denied(Error),
    /// It cannot be told: why.
    NotChecked(String),
}

impl Permission {
    /// What an answer means; an error where it says nothing of the permission.
    pub(in crate::glue) fn of(answer: Result<(), Error>) -> Result<Self, Error> {
        let Err(error) = answer else { return Ok(Self::Allowed) };
        match error.kind {
            // AWS authorizes a call before it looks for the resource.
            ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Busy | ErrorKind::LimitExceeded => Ok(Self::Allowed),
            ErrorKind::Denied if error.operation != "AssumeRole" => Ok(Self::Denied(error)),
            // A request may be refused for its form before it is authorized.
            ErrorKind::Invalid => Ok(Self::NotChecked(error.to_string())),
            ErrorKind::Denied
            | ErrorKind::ExpiredCredentials
            | ErrorKind::Throttled
            | ErrorKind::Ambiguous
            | ErrorKind::Transient => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_about_the_call_itself_tells_a_permission() {
        let error = |operation: &'static str, kind| Error {
            operation,
            object: "job x".to_owned(),
            kind,
            code: "Code".to_owned(),
            message: String::new(),
        };
        let of = |operation, kind| Permission::of(Err(error(operation, kind)));
        assert_eq!(Permission::of(Ok(())), Ok(Permission::Allowed));
        assert_eq!(of("StartJobRun", ErrorKind::NotFound), Ok(Permission::Allowed));
        let denied = error("StartJobRun", ErrorKind::Denied);
        assert_eq!(Permission::of(Err(denied.clone())), Ok(Permission::Denied(denied)));
        assert!(matches!(of("StartJobRun", ErrorKind::Invalid), Ok(Permission::NotChecked(_))));
        for (operation, kind) in [
            ("AssumeRole", ErrorKind::Denied),
            ("StartJobRun", ErrorKind::ExpiredCredentials),
            ("StartJobRun", ErrorKind::Throttled),
        ] {
            assert!(of(operation, kind).is_err(), "{operation} {kind:?}");
        }
    }
}
