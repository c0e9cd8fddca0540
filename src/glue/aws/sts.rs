//! Credentials of an identity: its keys as they are, or those of the role that it assumes.

use std::time::SystemTime;

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as ProvideResult, SharedCredentialsProvider, future};

use super::{Base, errors};
use crate::glue::Error;
use crate::glue::identity::{Identity, Role};

/// Where the credentials of `identity` come from; `None` when they are the controller's own.
pub(super) fn provider(base: &Base, identity: &Identity) -> Option<SharedCredentialsProvider> {
    let keys = identity.keys.as_ref().map(|keys| {
        SharedCredentialsProvider::new(Credentials::new(
            &keys.access_key_id,
            keys.secret_access_key.expose(),
            keys.session_token.as_ref().map(|token| token.expose().to_owned()),
            None,
            "Secret",
        ))
    });
    let Some(role) = identity.role.clone() else {
        return keys;
    };
    let mut config = base.config.to_builder().region(Region::new(identity.region.clone()));
    if let Some(keys) = keys {
        config = config.credentials_provider(keys);
    }
    Some(SharedCredentialsProvider::new(AssumeRole { sts: aws_sdk_sts::Client::new(&config.build()), role }))
}

/// `AssumeRole`. The SDK's identity cache in front of it makes it single flight and renews in time.
#[derive(Debug)]
struct AssumeRole {
    sts: aws_sdk_sts::Client,
    role: Role,
}

impl AssumeRole {
    async fn assume(&self) -> ProvideResult {
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.role.arn)
            .role_session_name(&self.role.session_name)
            .set_external_id(self.role.external_id.clone())
            .set_source_identity(self.role.source_identity.clone())
            .send()
            .await
            .map_err(|error| CredentialsError::provider_error(self.explain(&error)))?;
        let credentials = answer
            .credentials
            .ok_or_else(|| CredentialsError::unhandled("the answer of AssumeRole holds no credentials"))?;
        Ok(Credentials::new(
            credentials.access_key_id,
            credentials.secret_access_key,
            Some(credentials.session_token),
            SystemTime::try_from(credentials.expiration).ok(),
            "AssumeRole",
        ))
    }

    fn explain<E>(&self, error: &errors::SdkError<E>) -> Error
    where
        E: std::error::Error + aws_smithy_types::error::metadata::ProvideErrorMetadata + Send + Sync + 'static,
    {
        errors::map("AssumeRole", format!("role {}", self.role.arn), error)
    }
}

impl ProvideCredentials for AssumeRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}
