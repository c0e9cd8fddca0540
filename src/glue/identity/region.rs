//! The region and the endpoints of an identity.

use super::secret::SecretView;
use super::{CredentialSource, IdentityError, ResolveInput, Rules, check, validation};

/// The endpoints, where the Secret sets them; otherwise those of the controller's own configuration apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// Glue's URL.
    pub glue: Option<String>,
    /// STS's URL.
    pub sts: Option<String>,
    /// The URL of CloudWatch Logs.
    pub logs: Option<String>,
    /// S3's URL.
    pub s3: Option<String>,
}

/// The settings that name an endpoint: that of all services, and those of one each.
pub const ENDPOINT_SETTINGS: [&str; 5] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_GLUE",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_S3",
];

/// The partition of a region. `aws` stands for all partitions but China's and GovCloud's.
#[must_use]
pub(crate) fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The region of the object, or else of the Secret, or else of the controller.
pub(super) fn region(input: &ResolveInput<'_>, secret: &SecretView<'_>) -> Result<String, IdentityError> {
    if let Some(region) = input.region {
        return Ok(region.to_owned());
    }
    if let Some(region) = secret.text("AWS_REGION")? {
        check(&secret.setting("AWS_REGION"), validation::region(&region))?;
        return Ok(region);
    }
    let default = input.default_region.map(str::to_owned);
    default.ok_or_else(|| IdentityError::NoRegion { secret: secret.name.to_owned() })
}

/// The endpoints of the Secret: `AWS_ENDPOINT_URL` for all, unless the service has its own. They receive calls that the
/// keys of the same Secret sign, and no others.
pub(super) fn endpoints(
    namespace: &str,
    secret: &SecretView<'_>,
    source: &CredentialSource,
    rules: &Rules,
) -> Result<Endpoints, IdentityError> {
    let has_keys = matches!(source, CredentialSource::Keys(_));
    let allowed = |key: &'static str| match secret.text(key)? {
        None => Ok(None),
        Some(_) if !has_keys => Err(IdentityError::EndpointWithoutKeys { setting: secret.setting(key) }),
        Some(url) => match rules.allowed_endpoint(namespace, &url) {
            Some(url) => Ok(Some(url)),
            None => {
                Err(IdentityError::EndpointNotAllowed { namespace: namespace.to_owned(), setting: secret.setting(key) })
            }
        },
    };
    let all = allowed("AWS_ENDPOINT_URL")?;
    let of_service = |key| Ok(allowed(key)?.or_else(|| all.clone()));
    let (glue, sts) = (of_service("AWS_ENDPOINT_URL_GLUE")?, of_service("AWS_ENDPOINT_URL_STS")?);
    let (logs, s3) = (of_service("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS")?, of_service("AWS_ENDPOINT_URL_S3")?);
    Ok(Endpoints { glue, sts, logs, s3 })
}
