//! Where AWS is: AWS's own rules work it out from the region, the switches for FIPS and dual-stack, and an
//! endpoint of one's own. These tests say what comes of them for our clients, Glue's and STS's.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Dual-stack and FIPS endpoints" and "Service-specific endpoints".

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::{Base, Glue};
use crate::glue::identity::{Endpoints, Identity, Keys, Role, Sensitive, Source};
use crate::glue::{Error, ErrorKind};
use crate::metrics::Metrics;

/// Goes nowhere, and writes down where it was to go.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.lock().unwrap().push(request.uri().to_owned());
        HttpConnectorFuture::ready(Err(ConnectorError::user("it goes nowhere".into())))
    }
}

/// Where a call of Glue goes (with a role, that is STS), or why it goes nowhere.
async fn goes_to(region: &str, fips: bool, dual_stack: bool, url: Option<&str>, role: bool) -> Result<String, Error> {
    let recorder = Recorder::default();
    let connector = SharedHttpConnector::new(recorder.clone());
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new("eu-central-1"))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .use_fips(fips)
        .use_dual_stack(dual_stack);
    let base = Base::of(loader, Duration::from_secs(1), None, Metrics::new()).await;
    let hidden = |text: &str| Sensitive::new(text.to_owned());
    let keys = Keys { access_key_id: hidden("AKIA1"), secret_access_key: hidden("hush"), session_token: None };
    let role = role.then(|| Role {
        arn: "arn:aws:iam::222222222222:role/etl".to_owned(),
        external_id: None,
        session_name: "kube-glue".to_owned(),
        source_identity: None,
        tags: Vec::new(),
        our_tags: Vec::new(),
        duration: None,
    });
    let url = url.map(str::to_owned);
    let endpoints = Endpoints { glue: url.clone(), sts: url };
    let identity = Identity { region: region.to_owned(), source: Source::Keys(keys), role, endpoints };
    let error = Glue::new(&base, identity).job_max_retries("etl").await.expect_err("nobody answers");
    let gone = recorder.0.lock().unwrap().first().cloned();
    gone.ok_or(error)
}

#[tokio::test]
async fn fips_and_dual_stack_go_with_the_region_in_all_partitions() {
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
            let went = goes_to(region, fips, dual_stack, None, role).await.unwrap();
            assert_eq!(went, format!("https://{host}/"), "{region}, fips: {fips}, dual-stack: {dual_stack}");
        }
    }
}

/// An endpoint of one's own is taken as it is, so it cannot also be switched to another: AWS's rules refuse
/// that, and so does every client that follows them. Nothing leaves, and it is not the object that is wrong.
#[tokio::test]
async fn an_endpoint_of_ones_own_goes_with_no_switch() {
    let url = "https://vpce-1.glue.eu-west-1.vpce.amazonaws.com";
    let own = Some(url);
    for role in [false, true] {
        assert_eq!(goes_to("eu-west-1", false, false, own, role).await.unwrap(), format!("{url}/"));
        for (fips, dual_stack, word) in [(true, false, "FIPS"), (false, true, "Dualstack")] {
            let error = goes_to("eu-west-1", fips, dual_stack, own, role).await.unwrap_err();
            assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Transient, "NoEndpoint"), "{error}");
            assert!(error.message.contains(word) && error.message.contains("custom endpoint"), "{error}");
        }
    }
}
