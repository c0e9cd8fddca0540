//! As which identity the namespace, or one object of it, is known to AWS: `whoami`.

use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::controllers::runtime::credentials::resolver::DEFAULT_SECRET;
use crate::glue::identity::CredentialSource;
use crate::plugin::aws::{Caller, Whose};
use crate::plugin::cli::WhoamiArgs;
use crate::plugin::connect::{Cluster, Connection};
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::output::{self, TableFormat};
use crate::plugin::{table, target};

/// The objects of a kind that are looked at for the controller's own words.
const SAMPLE: u32 = 50;

/// Asks AWS, and prints the identity and the rule by which it is chosen.
pub(in crate::plugin) async fn execute(connection: &Connection, args: &WhoamiArgs) -> Result<Exit, PluginError> {
    let caller = match &args.object {
        None => args.aws.connect(connection, &Kind::job_run()).await,
        Some(name) => {
            let cluster = connection.connect().await?;
            let (target, object) = target::read_one(&cluster, name).await?;
            args.aws.connect_for(&cluster, &target, &object).await
        }
    };
    let caller = match caller {
        Err(error @ PluginError::Credentials(_)) => {
            say_what_the_controller_uses(connection).await;
            return Err(error);
        }
        caller => caller?,
    };
    let identity = caller.read(async |glue| glue.identify().await).await?;
    let region = caller.client.identity().region.clone();
    let fields = [
        ("principalArn", "Identity", identity.principal_arn),
        ("accountId", "Account", identity.account_id),
        ("region", "Region", region),
        ("credentials", "Credentials", credentials(&caller)),
        ("role", "Role", role(&caller)),
    ];
    match args.output.unwrap_or_default() {
        TableFormat::Name => output::line(&fields[0].2)?,
        TableFormat::Table | TableFormat::Wide => {
            let shown = fields.into_iter().filter(|(_, _, value)| !value.is_empty());
            output::line(table::pairs(shown.map(|(_, label, value)| [label.to_owned(), value])))?;
        }
        format @ (TableFormat::Json | TableFormat::Yaml) => {
            let document: Value = fields.into_iter().map(|(name, _, value)| (name.to_owned(), json!(value))).collect();
            output::document(&document, "the identity", format == TableFormat::Json)?;
        }
    }
    Ok(Exit::Succeeded)
}

/// What signs the calls, or assumes the role, and by which rule.
fn credentials(caller: &Caller) -> String {
    let temporary = |has_token: bool| if has_token { "temporary keys" } else { "keys" };
    match (&caller.credentials, &caller.client.identity().source) {
        (Whose::Namespace { secret, named, .. }, CredentialSource::Keys(keys)) => {
            let rule = if *named { "named" } else { "the namespace's default" };
            format!("the {} in Secret {secret} ({rule})", temporary(keys.session_token.is_some()))
        }
        (whose, _) => whose.describe(),
    }
}

/// The role that is assumed, and where it is named.
fn role(caller: &Caller) -> String {
    let Some(role) = &caller.client.identity().role else { return String::new() };
    let setting = match &caller.credentials {
        Whose::Namespace { provenance, .. } => provenance.role.as_ref().map(|setting| format!(" ({setting})")),
        Whose::Own(_) => None,
    };
    format!("{}{}", role.arn, setting.unwrap_or_default())
}

/// Without credentials of the namespace, the objects may say what the controller uses for them.
async fn say_what_the_controller_uses(connection: &Connection) {
    let Ok(cluster) = connection.connect().await else { return };
    for kind in Kind::all() {
        if let Some((name, arn)) = observed_identity(&cluster, &kind).await {
            output::say(format_args!(
                "the controller has used {arn} for {name}: where there is no Secret {DEFAULT_SECRET}, it is the \
                 controller's own identity, which is not yours to use"
            ));
            return;
        }
    }
}

/// An object of the kind with the identity that the controller has used for it.
async fn observed_identity(cluster: &Cluster, kind: &Kind) -> Option<(String, String)> {
    let list = cluster.objects(kind).list(&ListParams::default().limit(SAMPLE)).await.ok()?;
    list.items.iter().find_map(|object| {
        let arn = object.data["status"]["identity"]["principalArn"].as_str()?;
        Some((kind.short_name(&object.name_any()), arn.to_owned()))
    })
}
