//! Prints the manifest that takes over what is in Glue: `import`.

use crate::plugin::cli::{Import, ImportArgs};
use crate::plugin::connect::Connection;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::manifest::{self, Common, Manifest, NeededSecret};
use crate::plugin::output::{self, Format};

/// Reads one resource and prints its manifest.
pub(in crate::plugin) async fn execute(connection: &Connection, args: &ImportArgs) -> Result<Exit, PluginError> {
    let kind = match &args.what {
        Import::Trigger { .. } => Kind::trigger(),
        Import::Connection { .. } => Kind::connection(),
        Import::JobRun { .. } => Kind::job_run(),
    };
    let caller = args.aws.connect(connection, &kind).await?;
    let region = caller.client.identity().region.clone();
    let common =
        Common { namespace: connection.chosen_namespace(), region: &region, credentials: args.aws.chosen_secret() };
    let manifest = match &args.what {
        Import::Trigger { name } => {
            manifest::trigger(&common, &caller.read(async |glue| glue.trigger_document(name).await).await?)
        }
        Import::Connection { name } => {
            manifest::connection(&common, &caller.read(async |glue| glue.connection_document(None, name).await).await?)
        }
        Import::JobRun { job, run_id } => {
            manifest::job_run(&common, &caller.read(async |glue| glue.job_run_document(job, run_id).await).await?)
        }
    };
    print(&manifest, connection.chosen_namespace(), args.output.unwrap_or(Format::Yaml))?;
    Ok(Exit::Succeeded)
}

fn print(manifest: &Manifest, namespace: Option<&str>, format: Format) -> Result<(), PluginError> {
    let name = manifest.object["metadata"]["name"].as_str().unwrap_or_default();
    let needed = manifest.secret.as_ref().map(|secret| needed(secret, namespace));
    match format {
        Format::Yaml => {
            for line in needed.iter().flatten() {
                output::line(format_args!("# {line}"))?;
            }
        }
        Format::Json | Format::Name => needed.iter().flatten().for_each(output::say),
    }
    match format {
        Format::Name => output::line(name),
        format => output::document(&manifest.object, name, format == Format::Json),
    }
}

/// What the user does first, as lines.
fn needed(secret: &NeededSecret, namespace: Option<&str>) -> [String; 2] {
    let namespace = namespace.map_or_else(String::new, |namespace| format!(" --namespace {namespace}"));
    let literals: Vec<_> = secret.keys.iter().map(|key| format!(" --from-literal {key}=...")).collect();
    [
        "Glue does not show these values. Before you apply the object, create a Secret with the values as they are now:"
            .to_owned(),
        format!("  kubectl create secret generic {}{namespace}{}", secret.name, literals.concat()),
    ]
}
