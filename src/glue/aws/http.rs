//! The HTTP client of all calls to AWS: its proxy, and the certificate authorities that it trusts.
//!
//! `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or their names in lower case) mean what they mean everywhere.
//! `AWS_CA_BUNDLE` names a file with certificates in PEM, which replace those of the system, as for the AWS CLI.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The environment variable with the path of the certificates.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// Why the file that `AWS_CA_BUNDLE` names cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields name what the variant is about")]
pub enum CaBundleError {
    /// The file cannot be read.
    #[error("reading {} (AWS_CA_BUNDLE)", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// The file has no certificate, or one that is none.
    #[error("{} (AWS_CA_BUNDLE) is no list of certificates in PEM: {problem}", path.display())]
    Invalid { path: PathBuf, problem: String },
}

/// The client by the environment.
pub(super) fn client() -> Result<SharedHttpClient, CaBundleError> {
    let trusted = trusted_authorities()?;
    let client = |proxy: ProxyConfig| {
        let trusted = trusted.clone();
        Builder::new().build_with_connector_fn(move |settings, components| {
            connector(settings, components, &proxy, trusted.as_ref())
        })
    };
    Ok(SharedHttpClient::new(ByHost {
        usual: client(ProxyConfig::from_env()),
        direct: client(ProxyConfig::disabled()),
    }))
}

/// The connector of the environment, for requests that are none of the SDK.
pub(super) fn bare_connector() -> Result<SharedHttpConnector, CaBundleError> {
    let trusted = trusted_authorities()?;
    Ok(SharedHttpConnector::new(connector(None, None, &ProxyConfig::from_env(), trusted.as_ref())))
}

/// The certificates of `AWS_CA_BUNDLE`; `None` where it names no file.
fn trusted_authorities() -> Result<Option<TrustStore>, CaBundleError> {
    let path = std::env::var_os(CA_BUNDLE).filter(|path| !path.is_empty());
    path.map(|path| trust_store(Path::new(&path))).transpose()
}

fn connector(
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
    proxy: &ProxyConfig,
    trusted: Option<&TrustStore>,
) -> Connector {
    let mut builder = Connector::builder().proxy_config(proxy.clone());
    builder.set_connector_settings(settings.cloned());
    builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    let builder = builder.tls_provider(Provider::Rustls(CryptoMode::Ring));
    // A context that is built fails only for server names, of which there are none.
    let context = trusted.and_then(|trusted| TlsContext::builder().with_trust_store(trusted.clone()).build().ok());
    match context {
        Some(context) => builder.tls_context(context).build(),
        None => builder.build(),
    }
}

/// The certificates of a file. The SDK does not check them before it uses them.
fn trust_store(path: &Path) -> Result<TrustStore, CaBundleError> {
    let invalid = |problem: String| CaBundleError::Invalid { path: path.to_owned(), problem };
    let pem = std::fs::read(path).map_err(|source| CaBundleError::Read { path: path.to_owned(), source })?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
        roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(invalid("it has none".to_owned()));
    }
    Ok(TrustStore::empty().with_pem_certificate(pem))
}

/// Sends requests for credentials to the machine's own services without a proxy: they are answered to this machine only,
/// and a proxy would see the credentials.
#[derive(Debug)]
struct ByHost<T> {
    usual: T,
    direct: T,
}

impl HttpClient for ByHost<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = |client: &SharedHttpClient| client.http_connector(settings, components);
        SharedHttpConnector::new(ByHost { usual: connector(&self.usual), direct: connector(&self.direct) })
    }
}

impl HttpConnector for ByHost<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = if is_link_local(request.uri()) { &self.direct } else { &self.usual };
        connector.call(request)
    }
}

/// Whether the URL is one of the machine's own services: the metadata of an EC2 instance, or the credentials of an ECS
/// task or an EKS pod (AWS SDKs and Tools Reference Guide, "IMDS credential provider" and "Container credential provider").
fn is_link_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.starts_with("169.254.") || host.starts_with("[fd00:ec2:")
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn credentials_of_the_machine_go_through_no_proxy() {
        for (url, is_local) in [
            ("http://169.254.169.254/latest/meta-data", true),
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::254]/latest", true),
            ("https://sts.eu-west-1.amazonaws.com/", false),
            ("http://example.com/169.254.169.254", false),
        ] {
            assert_eq!(is_link_local(url), is_local, "{url}");
        }
    }

    /// Answers with this status.
    #[derive(Debug)]
    struct Always(u16);

    impl HttpConnector for Always {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(Ok(HttpResponse::new(self.0.try_into().unwrap(), SdkBody::empty())))
        }
    }

    #[tokio::test]
    async fn only_requests_to_the_machine_itself_go_past_the_proxy() {
        let (usual, direct) = (SharedHttpConnector::new(Always(201)), SharedHttpConnector::new(Always(202)));
        let connector = ByHost { usual, direct };
        for (url, status) in
            [("https://glue.eu-west-1.amazonaws.com/", 201), ("http://169.254.170.23/v1/credentials", 202)]
        {
            let mut request = HttpRequest::new(SdkBody::empty());
            request.set_uri(url).unwrap();
            let answer = connector.call(request).await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{url}");
        }
    }

    #[test]
    fn certificates_that_are_none_are_refused_before_the_sdk_panics() {
        let file = |name: &str, text: &str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let wrong = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (name, text) in [("empty.pem", ""), ("text.pem", "certificate"), ("wrong.pem", wrong)] {
            let error = trust_store(&file(name, text)).unwrap_err().to_string();
            assert!(error.contains("AWS_CA_BUNDLE") && error.contains(name), "{error}");
        }
        let missing = trust_store(Path::new("/nowhere/ca.pem")).unwrap_err().to_string();
        assert_eq!(missing, "reading /nowhere/ca.pem (AWS_CA_BUNDLE)");
    }
}
