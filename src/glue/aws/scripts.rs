//! The scripts of jobs, from S3.

use std::sync::OnceLock;

use super::{Glue, errors};
use crate::glue::rate_limiter::Priority;
use crate::glue::scripts::ScriptLocation;
use crate::glue::{Error, ErrorKind};

/// The client for S3. Most clients never call it.
#[derive(Default)]
pub(super) struct ScriptStore {
    sdk: OnceLock<aws_sdk_s3::Client>,
}

impl Glue {
    /// Reads a script (`GetObject`). One of more than `most` bytes, or that is no text in UTF-8, is an error of the kind
    /// [`ErrorKind::Invalid`]. A key that does not exist is [`ErrorKind::Denied`] to callers without `s3:ListBucket`.
    pub async fn script(&self, location: &ScriptLocation, most: usize) -> Result<String, Error> {
        const OPERATION: &str = "GetObject";
        let object = location.to_string();
        let request = self.s3().get_object().bucket(&location.bucket).key(&location.key).send();
        let limiter = self.inner.s3_limiter.get(&self.inner.signer, &self.inner.identity);
        limiter.acquire(Priority::Poll, self.client_id()).await;
        let answer = self.send_within(limiter, OPERATION, object.clone(), request).await?;
        let error = |kind, code: &str, message: String| {
            let (object, code) = (object.clone(), code.to_owned());
            self.redact_error(Error { operation: OPERATION, object, kind, code, message })
        };
        let (mut body, mut script) = (answer.body, Vec::new());
        loop {
            let chunk = body.try_next().await;
            let chunk = chunk
                .map_err(|broken| error(ErrorKind::Transient, "AnswerNotUnderstood", errors::message_chain(&broken)))?;
            let Some(chunk) = chunk else { break };
            if script.len() + chunk.len() > most {
                return Err(error(ErrorKind::Invalid, "ScriptTooLarge", format!("it has more than {most} bytes")));
            }
            script.extend_from_slice(&chunk);
        }
        String::from_utf8(script)
            .map_err(|_| error(ErrorKind::Invalid, "ScriptNotText", "it is no text in UTF-8".to_owned()))
    }

    fn s3(&self) -> &aws_sdk_s3::Client {
        self.inner.scripts.sdk.get_or_init(|| {
            let mut config = aws_sdk_s3::config::Builder::from(&self.inner.signer.config);
            if let Some(url) = &self.inner.identity.endpoints.s3 {
                config = config.endpoint_url(url);
            }
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }
}
