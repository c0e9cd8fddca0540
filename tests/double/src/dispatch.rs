//! The path of a request through the double.
//!
//! The request is parsed, its signature checked, and the request recorded. Then limits, faults and the caller's
//! permissions are applied in this order, and the operation runs. The answer is recorded, and sent unless a fault
//! drops it.

mod api_call;
mod authentication;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{Request as HttpRequest, body::Incoming, http::request::Parts};
use serde_json::Value;

use self::api_call::{ApiCall, unknown_operation};
use crate::{
    error::AwsError,
    faults::Then,
    glue,
    iam::Principal,
    logs,
    requests::{Answer, Call, Request},
    state::State,
    wire::{Dropped, HttpAnswer, aws_json, aws_query},
};

/// The longest request body in bytes. Longer ones are refused with HTTP status 413.
const MAX_BODY: usize = 8 * 1024 * 1024;

impl State {
    /// Handles one HTTP request.
    pub(crate) async fn handle(self: Arc<Self>, request: HttpRequest<Incoming>) -> Result<HttpAnswer, Dropped> {
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
            return Ok(aws_json::error(&AwsError::common("RequestEntityTooLarge", "").status(413)));
        };
        let body = body.to_bytes();
        if parts.uri.path().starts_with("/_double/") {
            return Ok(crate::admin::answer(&self, &parts, &body));
        }
        if parts.uri.path().starts_with("/latest/") {
            return Ok(crate::metadata::answer(&self.iam, &parts));
        }
        self.handle_aws(&parts, body).await
    }

    async fn handle_aws(self: Arc<Self>, parts: &Parts, body: Bytes) -> Result<HttpAnswer, Dropped> {
        let api_call = ApiCall::read(parts, &body);
        let (signed, identity) = self.authenticate(parts, &body, api_call.service());
        let call = Call {
            service: api_call.service(),
            operation: api_call.name().into(),
            region: signed.as_ref().map_or("", |signed| signed.region).into(),
            account: identity.as_ref().map_or("", |known| &*known.principal.account).into(),
            principal: identity.as_ref().map_or("", |known| &*known.principal.arn).into(),
            access_key_id: signed.as_ref().map_or("", |signed| signed.access_key_id).into(),
            name: api_call.subject(),
        };
        let identity = identity.map(|credential| credential.principal.clone());
        // In a task of its own: AWS completes a request whose client disconnects.
        let processing = tokio::spawn(async move {
            let record = self.requests.record(self.clock.now(), call, body);
            self.process(&record, &api_call, identity).await
        });
        processing.await.unwrap_or(Err(Dropped))
    }

    /// Runs an operation of Glue or CloudWatch Logs as another client would, without signatures, limits and faults. It is not recorded.
    pub(crate) fn call(&self, account: &str, region: &str, name: &str, body: &Value) -> Result<Value, AwsError> {
        let operation =
            glue::operation(name).or_else(|| logs::operation(name)).ok_or_else(|| unknown_operation(name))?;
        let caller = format!("arn:aws:iam::{account}:user/somebody-else");
        let call = glue::Call { body, stale_by: None, caller: &caller };
        let answer = self.glue.run(operation, account, region, call)?;
        serde_json::from_slice(&answer).map_err(|_| AwsError::internal())
    }

    async fn process(
        &self,
        record: &Request,
        api_call: &ApiCall,
        identity: Result<Arc<Principal>, AwsError>,
    ) -> Result<HttpAnswer, Dropped> {
        let mut stale_by = None;
        let mut effect_on_answer = None;
        let mut pretended = None;
        let mut outcome = None;
        let principal = match identity {
            Ok(principal) => Some(principal),
            Err(_) if api_call.is_unsigned() => None,
            Err(error) => {
                outcome = Some(Err(error));
                None
            }
        };
        let call = &record.call;
        if outcome.is_none() && !self.limits.admit(&call.account, &call.region, &call.operation) {
            outcome = Some(Err(api_call.in_dialect(AwsError::throttled())));
        }
        if outcome.is_none() {
            match self.faults.effect_on(call) {
                None => {}
                Some(Then::Throttle) => outcome = Some(Err(api_call.in_dialect(AwsError::throttled()))),
                Some(Then::Error { code, status, message }) => {
                    outcome = Some(Err(AwsError { code: code.into(), message, status, modelled: true }));
                }
                Some(Then::AccessDenied) => outcome = Some(Err(api_call.in_dialect(denied(call)))),
                Some(Then::Http500) => outcome = Some(Err(AwsError::internal())),
                Some(Then::Http503) => outcome = Some(Err(AwsError::unavailable())),
                Some(Then::ExpiredToken) => outcome = Some(Err(api_call.in_dialect(authentication::expired()))),
                Some(Then::DropConnectionBefore) => {
                    let answer = Answer { status: 0, code: None, dropped: false, executed: false, rewritten: false };
                    return self.drop_answer(record, answer);
                }
                Some(Then::Delay { time }) => tokio::time::sleep(time).await,
                Some(Then::Hold) => self.faults.wait_for_release().await,
                Some(Then::StaleRead { age }) => stale_by = Some(age),
                Some(
                    then @ (Then::Http500AfterWork
                    | Then::DelayAnswer { .. }
                    | Then::HoldAnswer
                    | Then::DropAnswerAfterWork
                    | Then::AnswerText { .. }
                    | Then::RewriteAnswer { .. }),
                ) => effect_on_answer = Some(then),
                Some(Then::Lie) => pretended = api_call.pretended(),
            }
        }
        if let Some(body) = pretended {
            let answer = Answer { status: 200, code: None, dropped: false, executed: false, rewritten: true };
            self.requests.record_answer(record, answer);
            return Ok(aws_json::answer(body.to_string().into_bytes()));
        }
        let executed = outcome.is_none();
        let mut outcome = outcome.unwrap_or_else(|| self.execute(api_call, principal.as_deref(), call, stale_by));
        let mut rewritten = false;
        if let (Ok(sent), Some(effect)) = (&mut outcome, &effect_on_answer) {
            rewritten = api_call.rewrite(effect, sent);
        }
        let answer = Answer {
            status: outcome.as_ref().map_or_else(|error| error.status, |_| 200),
            code: outcome.as_ref().err().map(|error| error.code.to_string()),
            dropped: false,
            executed,
            rewritten,
        };
        match effect_on_answer {
            Some(Then::DropAnswerAfterWork) => return self.drop_answer(record, answer),
            Some(Then::Http500AfterWork) => {
                let error = AwsError::internal();
                let sent = Answer { status: 500, code: Some(error.code.to_string()), ..answer };
                self.requests.record_answer(record, sent);
                return Ok(api_call.error(&error));
            }
            Some(Then::DelayAnswer { time }) => tokio::time::sleep(time).await,
            Some(Then::HoldAnswer) => self.faults.wait_for_release().await,
            _ => {}
        }
        self.requests.record_answer(record, answer);
        Ok(outcome.unwrap_or_else(|error| api_call.error(&error)))
    }

    fn drop_answer(&self, record: &Request, answer: Answer) -> Result<HttpAnswer, Dropped> {
        self.requests.record_answer(record, Answer { dropped: true, ..answer });
        Err(Dropped)
    }

    /// Checks the caller's permissions and runs the operation.
    fn execute(
        &self,
        api_call: &ApiCall,
        principal: Option<&Principal>,
        call: &Call,
        stale_by: Option<Duration>,
    ) -> Result<HttpAnswer, AwsError> {
        match api_call {
            ApiCall::Json { service, name, operation, body } => {
                let operation = operation.ok_or_else(|| unknown_operation(name))?;
                let principal = principal.ok_or_else(authentication::unknown_key)?;
                let body = body.as_ref().map_err(Clone::clone)?;
                let target = call.name.as_deref().unwrap_or("*");
                let (service, kind) = (service.name(), operation.resource);
                let resource = format!("arn:aws:{service}:{}:{}:{kind}/{target}", call.region, call.account);
                self.iam.authorize(principal, &format!("{service}:{name}"), &resource)?;
                self.glue
                    .run(operation, &call.account, &call.region, glue::Call { body, stale_by, caller: &call.principal })
                    .map(aws_json::answer)
            }
            ApiCall::S3(s3_call) => {
                let principal = principal.ok_or_else(authentication::unknown_key)?;
                s3_call.run(&self.buckets, &self.iam, principal)
            }
            ApiCall::Sts { name, action, form } => {
                let action = action.ok_or_else(|| {
                    let message = format!("Could not find operation {name} for version 2011-06-15");
                    AwsError::common("InvalidAction", message)
                })?;
                (action.run)(&self.iam, principal, form).map(|result| aws_query::answer(action.name, &result))
            }
        }
    }
}

/// The error of a call that a fault denies.
fn denied(call: &Call) -> AwsError {
    let message = format!("User: {} is not authorized to perform: {}:{}", call.principal, call.service, call.operation);
    AwsError::common("AccessDeniedException", message)
}
