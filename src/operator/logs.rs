//! Logs on standard error.
//!
//! `--log` has the syntax of `RUST_LOG`. Libraries print request bodies, headers and credentials at the levels debug
//! and trace, and no filter may bring those into a log. So [`max_levels`] caps the level of other crates, whatever
//! `--log` says.

use std::io::{self, IsTerminal};
use std::panic::{self, PanicHookInfo};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::cli::LogFormat;
use super::error::Error;

/// Starts logging to standard error. Must be called once only.
pub(super) fn start(format: LogFormat, filter: &str) -> Result<(), Error> {
    let colors = io::stderr().is_terminal();
    subscriber(format, filter, colors, io::stderr)?.init();
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs where the program panicked. A message that was put together at run time may contain anything, such as the value
/// of a Secret, so only a message that stands in the source text is shown.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload().downcast_ref::<&'static str>().unwrap_or(&"(the message is withheld)");
    let thread = std::thread::current();
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(thread = thread.name(), "panicked at {location}: {message}");
}

/// The highest level that is ever logged, by prefix of the target.
///
/// The list names what is allowed, so that a new dependency is capped before anybody has reviewed its logs.
fn max_levels() -> Targets {
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("kube_glue", LevelFilter::TRACE)
        // Logs the names of queued objects, never their content.
        .with_target("kube_runtime", LevelFilter::DEBUG)
        // Logs at info level each time it takes credentials from its cache.
        .with_target("aws_", LevelFilter::WARN)
}

fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    colors: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync, Error>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let requested =
        EnvFilter::try_new(filter).map_err(|source| Error::LogFilter { filter: filter.to_owned(), source })?;
    let lines = fmt::layer().with_writer(writer).with_ansi(colors);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    Ok(tracing_subscriber::registry().with(lines.with_filter(requested.and(max_levels()))))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::Level;
    use tracing::subscriber::with_default;

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

    fn logged(format: LogFormat, filter: &str, log: impl FnOnce()) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = subscriber(format, filter, false, move || writer.clone()).unwrap();
        with_default(subscriber, log);
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// Logs on every level as the targets that are known to print requests and responses.
    fn log_as_libraries() {
        macro_rules! log_as {
            ($($target:literal),* $(,)?) => {$(
                tracing::debug!(target: $target, "hunter2");
                tracing::trace!(target: $target, "hunter2");
                let span = tracing::debug_span!(target: $target, "send", body = "hunter2");
                span.in_scope(|| tracing::warn!(target: $target, "{} may warn", $target));
            )*};
        }
        log_as!(
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
            "some_new_crate",
        );
    }

    #[test]
    fn no_filter_raises_the_level_of_other_crates() {
        for filter in [
            "trace",
            "off,aws_smithy_runtime=trace,hyper=trace,kube_client=trace,h2=trace,rustls=debug",
            "trace,aws_sdk_sts::operation::assume_role=trace",
            "off,[send{body}]=trace",
            "off,[send]=trace",
            "aws_smithy_runtime::client::http::body=trace",
        ] {
            for format in [LogFormat::Text, LogFormat::Json] {
                let text = logged(format, filter, log_as_libraries);
                assert!(!text.contains("hunter2"), "{filter} logs:\n{text}");
            }
        }
        assert!(logged(LogFormat::Text, "trace", log_as_libraries).contains("aws_sdk_glue may warn"));
    }

    #[test]
    fn own_events_are_logged_at_the_requested_level() {
        let log = || {
            tracing::event!(target: "kube_glue::controllers", Level::TRACE, "deep");
            tracing::event!(target: "kube_glue::controllers", Level::INFO, "plain");
        };
        assert!(!logged(LogFormat::Text, "info", log).contains("deep"));
        assert!(logged(LogFormat::Text, "info", log).contains("plain"));
        assert!(logged(LogFormat::Text, "info,kube_glue=trace", log).contains("deep"));
    }

    #[test]
    fn json_has_one_object_per_line() {
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
    fn a_panic_is_logged_with_its_place_and_without_values() {
        let (hook, secret) = (panic::take_hook(), "hunter2".to_owned());
        panic::set_hook(Box::new(log_panic));
        let text = logged(LogFormat::Text, "info", || {
            let _ = panic::catch_unwind(|| panic!("a defect"));
            let _ = panic::catch_unwind(|| panic!("cannot send {secret}"));
        });
        panic::set_hook(hook);
        assert!(text.contains("logs.rs") && text.contains(": a defect"), "{text}");
        assert!(text.contains("(the message is withheld)") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn an_invalid_filter_is_refused() {
        let error = super::subscriber(LogFormat::Text, "info,=,=", false, io::sink).err().unwrap();
        assert!(error.to_string().contains("--log"), "{error}");
    }
}
