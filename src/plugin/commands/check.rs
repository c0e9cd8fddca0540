//! Whether the credentials may do what each kind needs: `check`.

use futures::future::join_all;
use serde_json::json;

use crate::glue::permissions::Permission;
use crate::plugin::aws::Caller;
use crate::plugin::cli::CheckArgs;
use crate::plugin::connect::Connection;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::output::{self, TableFormat};
use crate::plugin::rights;
use crate::plugin::table::table;

/// What a call showed.
struct Checked {
    kind: String,
    operation: &'static str,
    permission: Permission,
}

/// Asks AWS about every operation, and prints what it answered. Ends with [`Exit::Refused`] where one is denied.
pub(in crate::plugin) async fn execute(connection: &Connection, args: &CheckArgs) -> Result<Exit, PluginError> {
    let kinds = kinds(&args.kinds)?;
    // No resource has this name, and it ends a pattern of a policy such as `team-a-*`.
    let name = format!("{}kube-glue-check-{:016x}", args.prefix.as_deref().unwrap_or_default(), fastrand::u64(..));
    let mut all = Vec::new();
    for kind in &kinds {
        let caller = args.aws.connect(connection, kind).await?;
        let own = rights::of(kind).iter().copied();
        let operations = own.chain(rights::of_lineage(kind).filter(|_| args.lineage));
        let checks = operations.map(|operation| check(&caller, kind, operation, &name));
        for checked in join_all(checks).await {
            all.push(checked?);
        }
    }
    print(&all, args.output.unwrap_or_default())?;
    let denied = all.iter().filter(|checked| matches!(checked.permission, Permission::Denied(_))).count();
    if denied == 0 {
        return Ok(Exit::Succeeded);
    }
    output::say(format_args!(
        "{denied} denied. They were asked for a name that does not exist ({name}): a policy for certain names denies it, \
         too; --prefix puts the beginning of your names before it"
    ));
    Ok(Exit::Refused)
}

fn kinds(words: &[String]) -> Result<Vec<Kind>, PluginError> {
    if words.is_empty() {
        return Ok(Kind::all().into());
    }
    let unknown =
        |word: &String| PluginError::Usage(format!("there is no kind `{word}`: use one of {}", Kind::words()));
    words.iter().map(|word| Kind::parse(word).ok_or_else(|| unknown(word))).collect()
}

async fn check(caller: &Caller, kind: &Kind, operation: &'static str, name: &str) -> Result<Checked, PluginError> {
    let permission = caller.read(async |glue| Box::pin(glue.permission(operation, name)).await).await?;
    Ok(Checked { kind: kind.resource.kind.clone(), operation, permission })
}

impl Checked {
    fn answer(&self) -> &'static str {
        match self.permission {
            Permission::Allowed => "allowed",
            Permission::Denied(_) => "denied",
            Permission::NotChecked(_) => "not checked",
        }
    }

    /// Why it is not allowed, or not known.
    fn why(&self) -> &str {
        match &self.permission {
            Permission::Allowed => "",
            Permission::Denied(error) => &error.message,
            Permission::NotChecked(why) => why,
        }
    }
}

fn print(all: &[Checked], format: TableFormat) -> Result<(), PluginError> {
    let action = |checked: &Checked| match checked.operation {
        other if other.contains(':') => other.to_owned(),
        of_glue => format!("glue:{of_glue}"),
    };
    match format {
        TableFormat::Table | TableFormat::Wide => {
            let is_wide = format == TableFormat::Wide;
            let row = |checked: &Checked| {
                let mut row = vec![checked.kind.clone(), action(checked), checked.answer().to_owned()];
                // IAM's own words are long; the remedy is the action.
                let is_shown = is_wide || matches!(checked.permission, Permission::NotChecked(_));
                row.push(if is_shown { checked.why().to_owned() } else { String::new() });
                row
            };
            output::line(table(["KIND", "ACTION", "ANSWER", ""], all.iter().map(row)))
        }
        TableFormat::Name => {
            let denied = all.iter().filter(|checked| matches!(checked.permission, Permission::Denied(_)));
            denied.map(action).try_for_each(output::line)
        }
        TableFormat::Json | TableFormat::Yaml => {
            let item = |checked: &Checked| {
                let (answer, why) = (checked.answer(), checked.why());
                json!({ "kind": checked.kind, "action": action(checked), "answer": answer, "why": why })
            };
            let items: Vec<_> = all.iter().map(item).collect();
            output::document(&json!({ "permissions": items }), "the permissions", format == TableFormat::Json)
        }
    }
}
