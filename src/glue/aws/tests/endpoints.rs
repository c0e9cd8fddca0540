//! The endpoints of the Glue and STS clients, which the SDK derives from the region, the FIPS and dual-stack settings
//! and a custom endpoint.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Dual-stack and FIPS endpoints" and "Service-specific endpoints".

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::glue::aws::{AwsConfig, Glue};
use crate::glue::identity::{CredentialSource, Endpoints, Identity, Keys, Role, Sensitive};
use crate::glue::{Error, ErrorKind};
use crate::metrics::Metrics;

/// Records the URL of each request, and sends none.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.lock().unwrap().push(request.uri().to_owned());
        HttpConnectorFuture::ready(Err(ConnectorError::user("not sent".into())))
    }
}

/// The URL of the first request of a Glue call, which goes to STS if there is a role; or why there is no request.
async fn first_url(region: &str, fips: bool, dual_stack: bool, url: Option<&str>, role: bool) -> Result<String, Error> {
    let recorder = Recorder::default();
    let connector = SharedHttpConnector::new(recorder.clone());
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new("eu-central-1"))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .use_fips(fips)
        .use_dual_stack(dual_stack);
    let config = AwsConfig::from_loader(loader, Duration::from_secs(1), None, Metrics::new()).await;
    let hidden = |text: &str| Sensitive::new(text.to_owned());
    let keys = Keys { access_key_id: hidden("AKIA1"), secret_access_key: hidden("hush"), session_token: None };
    let role = role.then(|| Role {
        arn: "arn:aws:iam::222222222222:role/etl".to_owned(),
        external_id: None,
        session_name: "kube-glue".to_owned(),
        source_identity: None,
        tags: Vec::new(),
        controller_tags: Vec::new(),
        duration: None,
    });
    let url = url.map(str::to_owned);
    let endpoints = Endpoints { glue: url.clone(), logs: url.clone(), s3: url.clone(), sts: url };
    let identity = Identity { region: region.to_owned(), source: CredentialSource::Keys(keys), role, endpoints };
    let error = Glue::new(&config, identity).job_settings("etl").await.expect_err("nothing is sent");
    let url = recorder.0.lock().unwrap().first().cloned();
    url.ok_or(error)
}

#[tokio::test]
async fn fips_and_dual_stack_apply_in_all_partitions() {
    for (region, fips, dual_stack, glue, sts) in [
        ("eu-west-1", false, false, "glue.eu-west-1.amazonaws.com", "sts.eu-west-1.amazonaws.com"),
        ("us-east-1", true, false, "glue-fips.us-east-1.amazonaws.com", "sts-fips.us-east-1.amazonaws.com"),
        ("us-east-1", false, true, "glue.us-east-1.api.aws", "sts.us-east-1.api.aws"),
        ("us-east-1", true, true, "glue-fips.us-east-1.api.aws", "sts-fips.us-east-1.api.aws"),
        ("cn-north-1", false, false, "glue.cn-north-1.amazonaws.com.cn", "sts.cn-north-1.amazonaws.com.cn"),
        (
            "cn-north-1",
            false,
            true,
            "glue.cn-north-1.api.amazonwebservices.com.cn",
            "sts.cn-north-1.api.amazonwebservices.com.cn",
        ),
        ("us-gov-west-1", false, false, "glue.us-gov-west-1.amazonaws.com", "sts.us-gov-west-1.amazonaws.com"),
        ("us-gov-west-1", true, false, "glue-fips.us-gov-west-1.amazonaws.com", "sts.us-gov-west-1.amazonaws.com"),
        ("us-gov-west-1", true, true, "glue-fips.us-gov-west-1.api.aws", "sts-fips.us-gov-west-1.api.aws"),
    ] {
        for (role, host) in [(false, glue), (true, sts)] {
            let url = first_url(region, fips, dual_stack, None, role).await.unwrap();
            assert_eq!(url, format!("https://{host}/"), "{region}, fips: {fips}, dual-stack: {dual_stack}");
        }
    }
}

/// AWS's endpoint rules reject a custom endpoint together with FIPS or dual-stack. Nothing is sent. The error is
/// Transient, since the controller's configuration is wrong and not the request.
#[tokio::test]
async fn a_custom_endpoint_excludes_fips_and_dual_stack() {
    let url = "https://vpce-1.glue.eu-west-1.vpce.amazonaws.com";
    let custom = Some(url);
    for role in [false, true] {
        assert_eq!(first_url("eu-west-1", false, false, custom, role).await.unwrap(), format!("{url}/"));
        for (fips, dual_stack, word) in [(true, false, "FIPS"), (false, true, "Dualstack")] {
            let error = first_url("eu-west-1", fips, dual_stack, custom, role).await.unwrap_err();
            assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Transient, "NoEndpoint"), "{error}");
            assert!(error.message.contains(word) && error.message.contains("custom endpoint"), "{error}");
        }
    }
}
