//! What is printed: data on standard output, messages on standard error.
//!
//! A closed pipe, as of `| head`, ends the output and not the command.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use clap::ValueEnum;
use kube::ResourceExt;
use kube::core::DynamicObject;
use serde::Serialize;

use super::error::PluginError;
use super::kind::Kind;
use crate::controllers::runtime::error_chain::chain;

/// The form of an object on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// `gluejobrun.kube-glue.dev/NAME`
    Name,
    Json,
    Yaml,
}

/// The form of a list on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum TableFormat {
    #[default]
    Table,
    /// With more columns
    Wide,
    Json,
    Yaml,
    Name,
}

/// Prints a line on standard output.
pub(super) fn line(text: impl Display) -> Result<(), PluginError> {
    written(writeln!(io::stdout().lock(), "{text}"))
}

/// The same, for output without end. Whether somebody still reads it.
pub(super) fn try_line(text: impl Display) -> Result<bool, PluginError> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        result => Ok(result.map(|()| true)?),
    }
}

/// Prints a message on standard error. It is lost where nobody can read it.
pub(super) fn say(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error with its causes.
pub(super) fn error(error: &PluginError) {
    say(format_args!("error: {}", chain(error)));
}

/// Prints an object; without a format, what was done to it.
pub(super) fn object(
    kind: &Kind,
    object: &DynamicObject,
    format: Option<Format>,
    done: &str,
) -> Result<(), PluginError> {
    let name = kind.full_name(&object.metadata.name.clone().unwrap_or_else(|| {
        // A dry run on the client has no name yet.
        format!("{}...", object.metadata.generate_name.as_deref().unwrap_or_default())
    }));
    match format {
        None => line(format_args!("{name} {done}")),
        Some(Format::Name) => line(name),
        Some(Format::Json) => document(object, &name, true),
        Some(Format::Yaml) => document(object, &name, false),
    }
}

/// Prints a document as JSON, or else as YAML. `name` is what it is called in errors.
pub(super) fn document(document: &impl Serialize, name: &str, is_json: bool) -> Result<(), PluginError> {
    let name = || name.to_owned();
    if is_json {
        return line(serde_json::to_string_pretty(document).map_err(|error| PluginError::Json(name(), error))?);
    }
    let text = serde_saphyr::to_string(document).map_err(|error| PluginError::Yaml(name(), Box::new(error)))?;
    line(text.trim_end())
}

/// The object as a user would write it: without what the API server adds.
pub(super) fn manifest(mut object: DynamicObject) -> DynamicObject {
    let metadata = &mut object.metadata;
    metadata.managed_fields = None;
    (metadata.uid, metadata.resource_version, metadata.creation_timestamp, metadata.generation) =
        (None, None, None, None);
    object.annotations_mut().retain(|key, _| !key.starts_with("kubectl.kubernetes.io/"));
    object
}

fn written(result: io::Result<()>) -> Result<(), PluginError> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
