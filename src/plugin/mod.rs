//! `kubectl glue`: a kubectl plugin for people who run jobs and look after them.
//!
//! It speaks as kubectl does: the same flags and names, data on standard output, messages on standard error. Most
//! commands need the rights to their objects and no rights in AWS.
//!
//! | module | subject |
//! |---|---|
//! | `cli` | the command line |
//! | `connect` | kubectl's flags, and the client that follows from them |
//! | `aws` | the client for AWS: by the credentials of the namespace, or the person's own |
//! | `kind`, `target` | objects on the command line |
//! | `outcome` | what an object says about itself; pure |
//! | [`exit`], [`error`] | how a command ends |
//! | `output`, `table`, `columns` | what is printed |
//! | `commands` | one file each |
//! | `complete` | completion for kubectl |

mod aws;
mod cli;
mod columns;
mod commands;
mod complete;
mod connect;
pub mod error;
pub mod exit;
mod kind;
mod outcome;
mod output;
mod table;
mod target;

use clap::CommandFactory as _;
use jiff::Timestamp;

pub use self::cli::Cli;
use self::cli::Command;
use self::commands::edit::{self, Edit};
use self::commands::{create, delete, explain, get, list, status, top, wait, whoami};
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
        Command::Status(objects) => status::execute(&cluster().await?, &targets(objects)?).await,
        Command::Top(args) => top::execute(&cluster().await?, args.all_namespaces).await,
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
        Command::Get(args) => get::execute(&cli.connection, args).await,
        Command::Explain(args) => explain::execute(args.reason.as_deref()),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "kubectl-glue", &mut script);
            output::line(String::from_utf8_lossy(&script).trim_end())?;
            Ok(Exit::Succeeded)
        }
    }
}
