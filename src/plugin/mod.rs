//! `kubectl glue`: a kubectl plugin for people who run jobs and look after them.
//!
//! It speaks as kubectl does: the same flags and names, data on standard output, messages on standard error. Most
//! commands need the rights to their objects and no rights in AWS.
//!
//! | module | subject |
//! |---|---|
//! | `cli` | the command line |
//! | `connect` | kubectl's flags, and the client that follows from them |
//! | `aws` | the client for AWS: by the credentials of the namespace, or the user's own |
//! | `rights` | what the controller calls for each kind |
//! | `changes` | the changes of one object, as they come |
//! | `kind`, `target` | objects on the command line |
//! | `manifest` | manifests that take over what is in Glue; pure |
//! | `log_run`, `log_lines` | what an object says of its run's log, and how a line is printed; pure |
//! | `outcome` | what an object says about itself; pure |
//! | [`exit`], [`error`] | how a command ends |
//! | `output`, `table`, `server_table`, `columns` | what is printed |
//! | `commands` | one file each |
//! | `complete` | completion for kubectl |

mod aws;
mod changes;
mod cli;
mod columns;
mod commands;
mod complete;
mod connect;
pub mod error;
pub mod exit;
mod kind;
mod log_lines;
mod log_run;
mod manifest;
mod outcome;
mod output;
mod rights;
mod server_table;
mod table;
mod target;

use clap::CommandFactory as _;
use jiff::Timestamp;

pub use self::cli::Cli;
use self::cli::Command;
use self::commands::edit::{self, Edit};
use self::commands::{
    check, create, delete, explain, get, import, list, logs, report, status, top, tree, wait, whoami,
};
pub use self::complete::complete;
use self::error::PluginError;
use self::exit::Exit;

/// Carries out a command, until it has ended or the user presses Ctrl-C.
pub async fn execute(cli: Cli) -> Exit {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let carried_out = tokio::select! {
        carried_out = carry_out(&cli) => carried_out,
        () = interrupted => {
            output::say("interrupted: what was begun in the cluster goes on");
            return Exit::Interrupted;
        }
    };
    carried_out.unwrap_or_else(|error| {
        output::error(&error);
        error.exit()
    })
}

async fn carry_out(cli: &Cli) -> Result<Exit, PluginError> {
    let cluster = || cli.connection.connect();
    let targets = |objects: &cli::Objects| target::parse(&objects.names);
    let edit = async |objects, edit| edit::execute(&cluster().await?, &targets(objects)?, &edit).await;
    match &cli.command {
        Command::Run(args) => create::run(&cluster().await?, args).await,
        Command::Rerun(args) => create::rerun(&cluster().await?, args).await,
        Command::Wait(args) => wait::execute(&cluster().await?, &targets(&args.objects)?, args.timeout).await,
        Command::Status(args) => status::execute(&cluster().await?, &targets(&args.objects)?, args.watch).await,
        Command::Tree(objects) => tree::execute(&cluster().await?, &targets(objects)?).await,
        Command::Report(args) => report::execute(&cluster().await?, args).await,
        Command::Top(args) => top::execute(&cluster().await?, args).await,
        // Its future is large.
        Command::Logs(args) => Box::pin(logs::execute(&cli.connection, args)).await,
        Command::Stop(objects) => edit(objects, Edit::Stop).await,
        Command::Suspend(objects) => edit(objects, Edit::Suspend).await,
        Command::Resume(objects) => edit(objects, Edit::Resume).await,
        Command::Fire(args) => {
            let value = args.value.clone().unwrap_or_else(|| Timestamp::now().to_string());
            edit(&args.objects, Edit::Fire(value)).await
        }
        Command::Delete(args) => delete::execute(&cluster().await?, &targets(&args.objects)?, args.orphan).await,
        Command::List(args) => Box::pin(list::execute(&cli.connection, args)).await,
        Command::Whoami(args) => whoami::execute(&cli.connection, args).await,
        Command::Check(args) => Box::pin(check::execute(&cli.connection, args)).await,
        Command::Import(args) => import::execute(&cli.connection, args).await,
        Command::Get(args) => get::execute(&cli.connection, args).await,
        Command::Explain(args) => explain::execute(args.reason.as_deref()),
        Command::Man { folder } => {
            std::fs::create_dir_all(folder).map_err(|source| PluginError::File { path: folder.clone(), source })?;
            clap_mangen::generate_to(Cli::command(), folder)
                .map_err(|source| PluginError::File { path: folder.clone(), source })?;
            Ok(Exit::Succeeded)
        }
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "kubectl-glue", &mut script);
            output::line(String::from_utf8_lossy(&script).trim_end())?;
            Ok(Exit::Succeeded)
        }
    }
}
