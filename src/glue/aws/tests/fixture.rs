//! A client whose requests STS and Glue answer with one text each.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use crate::glue::aws::{AwsConfig, Glue};
use crate::glue::identity::{CredentialSource, Endpoints, Identity, Keys, Role, Sensitive};
use crate::metrics::Metrics;

/// How long all calls of one input may take, in virtual time.
const LONGEST: Duration = Duration::from_mins(5);

/// Answers requests to STS with one body, and those to Glue with another. Keeps the headers of all.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    status: u16,
    sts: String,
    glue: String,
    pub(super) headers: Arc<Mutex<String>>,
}

impl Answers {
    pub(crate) fn new(status: u16, sts: impl Into<String>, glue: impl Into<String>) -> Self {
        Self { status, sts: sts.into(), glue: glue.into(), headers: Arc::default() }
    }
}

impl HttpConnector for Answers {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers: Vec<_> = request.headers().iter().map(|(name, value)| format!("{name}: {value}")).collect();
        self.headers.lock().unwrap().push_str(&headers.join("\n"));
        let is_sts = request.uri().contains("//sts");
        let (status, body) = if is_sts { (200, &self.sts) } else { (self.status, &self.glue) };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.clone()))))
    }
}

/// A client of this identity.
pub(crate) async fn client(identity: Identity, answers: Answers) -> Glue {
    Glue::new(&config(answers).await, identity)
}

/// The configuration of clients whose requests are answered like this.
pub(crate) async fn config(answers: Answers) -> AwsConfig {
    let connector = SharedHttpConnector::new(answers);
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new("eu-central-1"))
        .http_client(http_client_fn(move |_, _| connector.clone()));
    let key = Some("--kube-glue-run".to_owned());
    AwsConfig::from_loader(loader, Duration::from_secs(1), key, Metrics::new()).await
}

/// Keys in eu-central-1, with a role or without one.
pub(crate) fn identity(with_role: bool) -> Identity {
    let hidden = |text: &str| Sensitive::new(text.to_owned());
    let keys = Keys { access_key_id: hidden("AKIA1"), secret_access_key: hidden("hush-hush"), session_token: None };
    let role = with_role.then(|| Role {
        arn: "arn:aws:iam::222222222222:role/etl".to_owned(),
        external_id: Some(hidden("tenant-7")),
        session_name: "kube-glue".to_owned(),
        source_identity: None,
        tags: vec![("team".to_owned(), "data".to_owned())],
        controller_tags: Vec::new(),
        duration: None,
    });
    let endpoints = Endpoints::default();
    Identity { region: "eu-central-1".to_owned(), source: CredentialSource::Keys(keys), role, endpoints }
}

/// Runs `work` with a clock that passes as soon as everything waits for it.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LONGEST, work).await }).expect("an end")
}

/// Runs `work` with the clock of the machine, for what has connections.
pub(super) fn block_on_real_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn xml(text: &str) -> String {
    text.chars().fold(String::new(), |xml, character| match character {
        '<' | '>' | '&' | '"' | '\'' | '\n' | '\r' | '\t' => xml + &format!("&#{};", u32::from(character)),
        character => xml + &character.to_string(),
    })
}

/// An answer of STS to `AssumeRole`.
pub(super) fn session(id: &str, secret: &str, token: &str, expiration: &str, arn: &str) -> String {
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <AssumedRoleUser><Arn>{}</Arn><AssumedRoleId>AROA1:x</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>\
         </AssumeRoleResult></AssumeRoleResponse>",
        xml(arn),
        xml(id),
        xml(secret),
        xml(token),
        xml(expiration),
    )
}
