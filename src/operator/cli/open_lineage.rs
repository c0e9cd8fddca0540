//! The flags about lineage. Their environment variables are those of OpenLineage's clients.

use clap::{ArgAction, Args};

use super::LINEAGE;
use super::values::list_entry;
use crate::controllers::OpenLineage;
use crate::glue::identity::AllowedEndpoint;
use crate::redaction::Sensitive;

/// The environment variable with the bearer token. It is no flag: everybody on the machine could read it.
pub(super) const API_KEY: &str = "OPENLINEAGE_API_KEY";

/// Where events of lineage are sent.
#[derive(Clone, Debug, Args)]
pub struct OpenLineageOptions {
    /// URL of an OpenLineage receiver, such as http://marquez:5000; empty: no lineage is sent
    #[arg(
        long, env = "OPENLINEAGE_URL", value_name = "URL", default_value = "", hide_default_value = true,
        value_parser = url, help_heading = LINEAGE,
    )]
    openlineage_url: String,

    /// Path of the receiver's API below its URL
    #[arg(
        long, env = "OPENLINEAGE_ENDPOINT", value_name = "PATH", default_value = OpenLineage::USUAL_ENDPOINT,
        help_heading = LINEAGE,
    )]
    openlineage_endpoint: String,

    /// Namespace of all jobs in OpenLineage [default: arn:aws:glue:REGION:ACCOUNT of each job]
    #[arg(
        long, env = "OPENLINEAGE_NAMESPACE", value_name = "NAMESPACE", default_value = "", hide_default_value = true,
        help_heading = LINEAGE,
    )]
    openlineage_namespace: String,

    /// Whether to send no lineage although there is a URL
    #[arg(
        long, env = "OPENLINEAGE_DISABLED", value_name = "true|false", default_value = "false",
        action = ArgAction::Set, value_parser = flag, help_heading = LINEAGE,
    )]
    openlineage_disabled: bool,

    /// Whether to read the scripts of jobs from S3, for the datasets of jobs without visual nodes
    #[arg(
        long, env = "KUBE_GLUE_LINEAGE_FROM_SCRIPTS", value_name = "true|false", default_value = "false",
        action = ArgAction::Set, value_parser = flag, help_heading = LINEAGE,
    )]
    lineage_from_scripts: bool,

    /// Whether to tell the OpenLineage listener in Spark, by --conf, which run the annotation
    /// kube-glue.dev/lineage-parent of a GlueJobRun names
    #[arg(
        long, env = "KUBE_GLUE_LINEAGE_SPARK_PARENT", value_name = "true|false", default_value = "false",
        action = ArgAction::Set, value_parser = flag, help_heading = LINEAGE,
    )]
    pub(super) lineage_spark_parent: bool,

    /// Receivers that a GlueInventory may name, by namespaces (a pattern with * and ?): hosts, suffixes such as
    /// .lineage.example.com, or http://host:port; empty: none
    #[arg(
        long, env = "KUBE_GLUE_ALLOWED_LINEAGE_RECEIVERS", value_name = "NAMESPACE=RECEIVER,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = list_entry::<AllowedEndpoint>,
        help_heading = LINEAGE,
    )]
    allowed_lineage_receivers: Vec<Option<AllowedEndpoint>>,
}

impl OpenLineageOptions {
    /// The receiver; `None` where there is none, or it is switched off.
    pub(super) fn settings(&self, api_key: Option<String>) -> Option<OpenLineage> {
        if self.openlineage_url.is_empty() || self.openlineage_disabled {
            return None;
        }
        Some(OpenLineage {
            url: OpenLineage::endpoint_url(&self.openlineage_url, &self.openlineage_endpoint),
            api_key: api_key.map(Sensitive::new),
            namespace: Some(self.openlineage_namespace.clone()).filter(|namespace| !namespace.is_empty()),
            from_scripts: self.lineage_from_scripts,
        })
    }

    /// The receivers that an inventory may name.
    pub(super) fn receivers(&self) -> Vec<AllowedEndpoint> {
        self.allowed_lineage_receivers.iter().flatten().cloned().collect()
    }
}

/// A URL of HTTP, or nothing.
fn url(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let uri: Option<http::Uri> = text.parse().ok();
    let uri = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    let authority = uri.as_ref().and_then(http::Uri::authority).map(http::uri::Authority::as_str);
    match authority {
        Some(authority) if authority.contains('@') => {
            Err(format!("expected a URL without credentials: an API key is in {API_KEY}"))
        }
        Some(authority) if !authority.is_empty() => Ok(text.to_owned()),
        _ => Err("expected a URL, like http://marquez:5000".to_owned()),
    }
}

/// Yes or no, as OpenLineage's clients read it.
fn flag(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" | "on" => Ok(true),
        "" | "false" | "f" | "0" | "no" | "n" | "off" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}
