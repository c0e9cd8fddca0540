//! What is written to standard error, and the ceiling on it.
//!
//! `--log` chooses what is logged, like `RUST_LOG` does elsewhere. It cannot choose everything: the
//! libraries below us print request bodies, headers and credentials at debug or trace level, and no
//! filter that somebody sets while looking for a fault may bring those into a log. So what comes
//! from other crates is capped ([`ceiling`]), whatever `--log` says.

use std::io::{self, IsTerminal};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, Targets},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::{cli::LogFormat, error::Error};

/// Starts logging to standard error. Call it once.
pub fn start(format: LogFormat, filter: &str) -> Result<(), Error> {
    let colours = io::stderr().is_terminal();
    subscriber(format, filter, colours, io::stderr)?.init();
    Ok(())
}

/// The most that is ever logged, by target (a crate's name, matched as a prefix).
///
/// It is a list of what may speak, not of what may not: a library that is new to the tree is capped
/// before anybody has read what it prints.
fn ceiling() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("kube_glue", LevelFilter::TRACE)
        // Prints which objects are queued and why, never what they contain.
        .with_target("kube_runtime", LevelFilter::DEBUG)
        // Says at info level each time it takes credentials from its cache.
        .with_target("aws_", LevelFilter::WARN)
}

fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    colours: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, Error>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let chosen = EnvFilter::try_new(filter).map_err(|source| Error::LogFilter { filter: filter.to_owned(), source })?;
    let lines = fmt::layer().with_writer(writer).with_ansi(colours);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    Ok(tracing_subscriber::registry().with(lines.with_filter(chosen.and(ceiling()))))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{Level, subscriber::with_default};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str, speak: impl FnOnce()) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = subscriber(format, filter, false, move || writer.clone()).unwrap();
        with_default(subscriber, speak);
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// Speaks on every level as each target that is known to print what it sends and receives.
    fn speak_as_libraries() {
        macro_rules! speak {
            ($($target:literal),* $(,)?) => {$(
                tracing::debug!(target: $target, "hunter2");
                tracing::trace!(target: $target, "hunter2");
                let span = tracing::debug_span!(target: $target, "send", body = "hunter2");
                span.in_scope(|| tracing::warn!(target: $target, "{} may warn", $target));
            )*};
        }
        speak!(
            "aws_config::profile",
            "aws_credential_types::provider",
            "aws_runtime::auth",
            "aws_sdk_glue",
            "aws_sdk_sts::operation::assume_role",
            "aws_sigv4::http_request",
            "aws_smithy_http_client",
            "aws_smithy_runtime::client::http::body",
            "aws_smithy_runtime_api",
            "h2::codec",
            "hyper::proto::h1",
            "hyper_util::client::legacy",
            "kube_client::client",
            "kube_client::client::body",
            "log",
            "reqwest::connect",
            "rustls::client",
            "tokio_util::codec",
            "tower_http::trace",
            "some_crate_of_tomorrow",
        );
    }

    #[test]
    fn no_filter_lifts_the_ceiling() {
        for filter in [
            "trace",
            "off,aws_smithy_runtime=trace,hyper=trace,kube_client=trace,h2=trace,rustls=debug",
            "trace,aws_sdk_sts::operation::assume_role=trace",
            "off,[send{body}]=trace",
            "off,[send]=trace",
            "aws_smithy_runtime::client::http::body=trace",
        ] {
            for format in [LogFormat::Text, LogFormat::Json] {
                let text = logged(format, filter, speak_as_libraries);
                assert!(!text.contains("hunter2"), "{filter} lets through:\n{text}");
            }
        }
        assert!(logged(LogFormat::Text, "trace", speak_as_libraries).contains("aws_sdk_glue may warn"));
    }

    #[test]
    fn what_is_ours_is_logged_as_asked() {
        let speak = || {
            tracing::event!(target: "kube_glue::controllers", Level::TRACE, "deep");
            tracing::event!(target: "kube_glue::controllers", Level::INFO, "plain");
        };
        assert!(!logged(LogFormat::Text, "info", speak).contains("deep"));
        assert!(logged(LogFormat::Text, "info", speak).contains("plain"));
        assert!(logged(LogFormat::Text, "info,kube_glue=trace", speak).contains("deep"));
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = logged(LogFormat::Json, "info", || {
            tracing::info!(target: "kube_glue", name = "a", "started");
            tracing::info!(target: "kube_glue", name = "b", "ended");
        });
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["message"], "started");
        assert_eq!(lines[1]["name"], "b");
    }

    #[test]
    fn a_filter_that_is_none_is_refused() {
        let error = super::subscriber(LogFormat::Text, "info,=,=", false, io::sink).err().unwrap();
        assert!(error.to_string().contains("--log"), "{error}");
    }
}
