//! The way of a request through the double.
//!
//! It is read, its signer is found, it is entered in the record; then limits and faults have their say, the
//! caller's rights are checked, the operation runs, and the answer is entered and sent, unless a fault drops it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Request as HttpRequest, body::Incoming, http::request::Parts};
use serde_json::Value;

use crate::{
    State,
    error::AwsError,
    faults::Then,
    glue::{self, operation::Operation},
    iam::{Credential, Principal},
    requests::{Answer, Call, Request},
    sts,
    wire::{
        Dropped, HttpAnswer, aws_json,
        aws_query::{self, Form},
        sigv4::{Signed, SignedParts},
    },
};

/// Larger bodies are refused, as AWS's front door does.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// What a request asks for.
enum Asked {
    Glue { name: String, operation: Option<&'static Operation>, body: Result<Value, AwsError> },
    Sts { name: String, action: Option<&'static sts::Action>, form: Form },
}

impl State {
    /// Handles one HTTP request.
    pub(crate) async fn handle(self: Arc<Self>, request: HttpRequest<Incoming>) -> Result<HttpAnswer, Dropped> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return Ok(aws_json::error(&AwsError::common("RequestEntityTooLarge", "").status(413)));
        };
        let body = body.to_bytes();
        if parts.uri.path().starts_with("/_double/") {
            return Ok(crate::admin::answer(&self, &parts, &body));
        }
        if parts.uri.path().starts_with("/latest/") {
            return Ok(crate::metadata::answer(&self.iam, &parts));
        }
        let asked = Asked::read(&parts, &body);
        let (signed, identity) = self.identify(&parts, &body, asked.service());
        let call = Call {
            service: asked.service(),
            operation: asked.name().into(),
            region: signed.as_ref().map_or("", |signed| signed.region).into(),
            account: identity.as_ref().map_or("", |known| &*known.principal.account).into(),
            principal: identity.as_ref().map_or("", |known| &*known.principal.arn).into(),
            access_key_id: signed.as_ref().map_or("", |signed| signed.access_key_id).into(),
            name: asked.subject(),
        };
        let identity = identity.map(|credential| credential.principal.clone());
        // AWS goes on with what it was asked for when the client hangs up.
        let work = tokio::spawn(async move {
            let record = self.requests.record(self.clock.now(), call, body);
            self.go(&record, &asked, identity).await
        });
        work.await.unwrap_or(Err(Dropped))
    }

    /// Runs an operation of Glue as somebody else would, past signatures, limits and faults. It is not in the
    /// record.
    pub(crate) fn call(&self, account: &str, region: &str, name: &str, body: &Value) -> Result<Value, AwsError> {
        let operation = glue::operation(name).ok_or_else(|| unknown_operation(name))?;
        let caller = format!("arn:aws:iam::{account}:user/somebody-else");
        let call = glue::Call { body, stale_by: None, caller: &caller };
        let answer = self.glue.run(operation, account, region, call)?;
        serde_json::from_slice(&answer).map_err(|_| AwsError::internal())
    }

    async fn go(
        &self,
        record: &Request,
        asked: &Asked,
        identity: Result<Arc<Principal>, AwsError>,
    ) -> Result<HttpAnswer, Dropped> {
        let mut stale_by = None;
        let mut after = None;
        let mut outcome = None;
        let principal = match identity {
            Ok(principal) => Some(principal),
            Err(_) if asked.is_unsigned() => None,
            Err(error) => {
                outcome = Some(Err(error));
                None
            }
        };
        let call = &record.call;
        if outcome.is_none() && !self.limits.admit(&call.account, &call.region, &call.operation) {
            outcome = Some(Err(asked.dialect(AwsError::throttled())));
        }
        if outcome.is_none() {
            match self.faults.effect_on(call) {
                None => {}
                Some(Then::Throttle) => outcome = Some(Err(asked.dialect(AwsError::throttled()))),
                Some(Then::Error { code, status, message }) => {
                    outcome = Some(Err(AwsError { code: code.into(), message, status, modelled: true }));
                }
                Some(Then::Http500) => outcome = Some(Err(AwsError::internal())),
                Some(Then::ExpiredToken) => outcome = Some(Err(asked.dialect(expired()))),
                Some(Then::DropConnectionBefore) => {
                    return self.drop_answer(record, Answer::refused(0));
                }
                Some(Then::Delay { time }) => tokio::time::sleep(time).await,
                Some(Then::Hold) => self.faults.wait_for_release().await,
                Some(Then::StaleRead { age }) => stale_by = Some(age),
                Some(
                    then @ (Then::Http500AfterWork
                    | Then::DelayAnswer { .. }
                    | Then::HoldAnswer
                    | Then::DropAnswerAfterWork),
                ) => after = Some(then),
            }
        }
        let executed = outcome.is_none();
        let outcome = outcome.unwrap_or_else(|| self.work(asked, principal.as_deref(), call, stale_by));
        let answer = Answer {
            status: outcome.as_ref().map_or_else(|error| error.status, |_| 200),
            code: outcome.as_ref().err().map(|error| error.code.to_string()),
            dropped: false,
            executed,
        };
        match after {
            Some(Then::DropAnswerAfterWork) => return self.drop_answer(record, answer),
            Some(Then::Http500AfterWork) => {
                let error = AwsError::internal();
                let told = Answer { status: 500, code: Some(error.code.to_string()), ..answer };
                self.requests.record_answer(record, told);
                return Ok(asked.error(&error));
            }
            Some(Then::DelayAnswer { time }) => tokio::time::sleep(time).await,
            Some(Then::HoldAnswer) => self.faults.wait_for_release().await,
            _ => {}
        }
        self.requests.record_answer(record, answer);
        Ok(outcome.unwrap_or_else(|error| asked.error(&error)))
    }

    fn drop_answer(&self, record: &Request, answer: Answer) -> Result<HttpAnswer, Dropped> {
        self.requests.record_answer(record, Answer { dropped: true, ..answer });
        Err(Dropped)
    }

    fn work(
        &self,
        asked: &Asked,
        principal: Option<&Principal>,
        call: &Call,
        stale_by: Option<Duration>,
    ) -> Result<HttpAnswer, AwsError> {
        match asked {
            Asked::Glue { name, operation, body } => {
                let operation = operation.ok_or_else(|| unknown_operation(name))?;
                let principal = principal.ok_or_else(unknown_key)?;
                let body = body.as_ref().map_err(Clone::clone)?;
                let target = call.name.as_deref().unwrap_or("*");
                let resource = format!("arn:aws:glue:{}:{}:{}/{target}", call.region, call.account, operation.resource);
                self.iam.authorize(principal, &format!("glue:{name}"), &resource)?;
                self.glue
                    .run(operation, &call.account, &call.region, glue::Call { body, stale_by, caller: &call.principal })
                    .map(aws_json::answer)
            }
            Asked::Sts { name, action, form } => {
                let action = action.ok_or_else(|| {
                    let message = format!("Could not find operation {name} for version 2011-06-15");
                    AwsError::common("InvalidAction", message)
                })?;
                (action.run)(&self.iam, principal, form).map(|result| aws_query::answer(action.name, &result))
            }
        }
    }

    fn identify<'a>(
        &self,
        parts: &'a Parts,
        body: &[u8],
        service: &'static str,
    ) -> (Option<Signed<'a>>, Result<Arc<Credential>, AwsError>) {
        let sts = service == "sts";
        let fail = |error: AwsError| if sts { as_sts(error) } else { error };
        let signed = match Signed::read(&parts.headers) {
            Ok(signed) => signed,
            Err(error) => return (None, Err(fail(error))),
        };
        let checked = self.check(&signed, parts, body, service).map_err(fail);
        (Some(signed), checked)
    }

    fn check(
        &self,
        signed: &Signed<'_>,
        parts: &Parts,
        body: &[u8],
        service: &str,
    ) -> Result<Arc<Credential>, AwsError> {
        let credential = self.iam.credential(signed.access_key_id).ok_or_else(unknown_key)?;
        if signed.service != service {
            return Err(AwsError::common(
                "InvalidSignatureException",
                format!("Credential should be scoped to correct service: '{service}'."),
            ));
        }
        if self.checks_signatures() {
            let parts = SignedParts {
                method: parts.method.as_str(),
                path: parts.uri.path(),
                query: parts.uri.query().unwrap_or_default(),
                headers: &parts.headers,
                body,
            };
            signed.verify(&parts, &credential.signing_key(signed))?;
        }
        let token = parts.headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
        if token != credential.token.as_deref() {
            return Err(unknown_key());
        }
        if credential.is_expired() {
            return Err(expired());
        }
        Ok(credential)
    }
}

impl Answer {
    fn refused(status: u16) -> Self {
        Self { status, code: None, dropped: false, executed: false }
    }
}

impl Asked {
    fn read(parts: &Parts, body: &Bytes) -> Self {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        if let Some(name) = target.and_then(|target| target.strip_prefix("AWSGlue.")) {
            let (name, operation) = (name.to_owned(), glue::operation(name));
            return Self::Glue { name, operation, body: read_json(body) };
        }
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let form = Form::parse(if body.is_empty() { query } else { body });
        let name = form.get("Action").unwrap_or_default().to_owned();
        Self::Sts { action: sts::action(&name), name, form }
    }

    fn service(&self) -> &'static str {
        match self {
            Self::Glue { .. } => "glue",
            Self::Sts { .. } => "sts",
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Glue { name, .. } | Self::Sts { name, .. } => name,
        }
    }

    fn subject(&self) -> Option<String> {
        match self {
            Self::Glue { operation, body, .. } => operation.as_ref()?.subject(body.as_ref().ok()?),
            Self::Sts { form, .. } => form.get("RoleArn").map(ToOwned::to_owned),
        }
    }

    fn is_unsigned(&self) -> bool {
        matches!(self, Self::Sts { action: Some(action), .. } if !action.signed)
    }

    fn dialect(&self, error: AwsError) -> AwsError {
        match self {
            Self::Glue { .. } => error,
            Self::Sts { .. } => as_sts(error),
        }
    }

    fn error(&self, error: &AwsError) -> HttpAnswer {
        match self {
            Self::Glue { .. } => aws_json::error(error),
            Self::Sts { .. } => aws_query::error(error),
        }
    }
}

fn read_json(body: &Bytes) -> Result<Value, AwsError> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(AwsError::common("SerializationException", "Start of structure or map expected.")),
    }
}

fn unknown_operation(name: &str) -> AwsError {
    AwsError::common("UnknownOperationException", format!("The double does not know the operation {name}."))
}

fn unknown_key() -> AwsError {
    AwsError::common("UnrecognizedClientException", "The security token included in the request is invalid.")
}

fn expired() -> AwsError {
    AwsError::common("ExpiredTokenException", "The security token included in the request is expired")
}

/// The same refusal in the names that STS uses.
fn as_sts(error: AwsError) -> AwsError {
    let (code, status) = match &*error.code {
        "UnrecognizedClientException" => ("InvalidClientTokenId", 403),
        "InvalidSignatureException" => ("SignatureDoesNotMatch", 403),
        "MissingAuthenticationTokenException" => ("MissingAuthenticationToken", 403),
        "IncompleteSignatureException" => ("IncompleteSignature", 400),
        "ExpiredTokenException" => ("ExpiredToken", 403),
        "ThrottlingException" => ("Throttling", 400),
        _ => return error,
    };
    AwsError { code: code.into(), status, ..error }
}
