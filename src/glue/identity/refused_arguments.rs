//! The job arguments by which Glue runs other code than the job's, and who may set them.
//!
//! Whoever sets one runs code with the role of the job. Keys of a Secret are the namespace's own: it could send the same
//! call itself. Other credentials are lent to it.

use super::rules::{Grant, matches};
use super::{CredentialOrigin, Rules};

/// The arguments that select, install or configure code (Glue user guide, "Using job parameters in AWS Glue jobs" and
/// "Using job parameters in Ray jobs").
pub const CODE_ARGUMENTS: &[&str] = &[
    "--additional-python-modules",
    "--class",
    "--conf",
    "--customer-driver-env-vars",
    "--customer-executor-env-vars",
    "--extra-files",
    "--extra-jars",
    "--extra-py-files",
    "--job-language",
    "--pip-install",
    "--python-modules-installer-option",
    "--s3-py-modules",
    "--scriptLocation",
    "--user-jars-first",
    "--working-dir",
];

/// Which arguments job runs may not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RefusedArguments {
    /// [`CODE_ARGUMENTS`], for objects without keys of their own.
    #[default]
    CodeWithLentCredentials,
    /// These, with whatever credentials.
    Listed(Vec<Grant>),
}

impl Rules {
    /// Whether objects of `namespace` with credentials of this origin may not set the argument.
    #[must_use]
    pub fn refuses_argument(&self, namespace: &str, credentials: &CredentialOrigin, argument: &str) -> bool {
        let argument = normalized(argument);
        match &self.refused_arguments {
            RefusedArguments::CodeWithLentCredentials => {
                let lent = !matches!(credentials, CredentialOrigin::Secret { .. });
                lent && CODE_ARGUMENTS.iter().any(|refused| normalized(refused) == argument)
            }
            RefusedArguments::Listed(list) => list.iter().any(|refused| {
                matches(&refused.namespace, namespace) && matches(&normalized(&refused.value), &argument)
            }),
        }
    }
}

/// The name without what a parser may ignore: its case, and the kind of its dashes.
fn normalized(argument: &str) -> String {
    argument.trim_start_matches('-').replace('_', "-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> CredentialOrigin {
        CredentialOrigin::Secret { name: "a/s".to_owned(), temporary: false }
    }

    #[test]
    fn by_default_lent_credentials_run_the_code_of_the_job_only() {
        let rules = Rules::default();
        for lent in [CredentialOrigin::Controller, CredentialOrigin::Profile("p".to_owned())] {
            for argument in CODE_ARGUMENTS {
                assert!(rules.refuses_argument("a", &lent, argument), "{argument}");
            }
            for argument in ["--SCRIPTLOCATION", "scriptLocation", "--extra_py_files"] {
                assert!(rules.refuses_argument("a", &lent, argument), "{argument}");
            }
            for argument in ["--day", "--class-name", "--enable-metrics", "--TempDir", ""] {
                assert!(!rules.refuses_argument("a", &lent, argument), "{argument}");
            }
        }
        assert!(CODE_ARGUMENTS.iter().all(|argument| !rules.refuses_argument("a", &secret(), argument)));
    }

    #[test]
    fn a_list_applies_to_its_namespaces_with_whatever_credentials() {
        let list = ["team-*=--extra-*", "b=--conf"].map(|text| text.parse().unwrap());
        let rules = Rules { refused_arguments: RefusedArguments::Listed(list.to_vec()), ..Rules::default() };
        for (namespace, argument, is_refused) in [
            ("team-a", "--extra-jars", true),
            ("team-a", "--Extra_Jars", true),
            ("team-a", "--conf", false),
            ("b", "--conf", true),
            ("b", "--extra-jars", false),
            ("c", "--scriptLocation", false),
        ] {
            for credentials in [secret(), CredentialOrigin::Controller] {
                let refused = rules.refuses_argument(namespace, &credentials, argument);
                assert_eq!(refused, is_refused, "{namespace} {argument} {credentials:?}");
            }
        }
    }
}
