//! Shutdown by signal. The first SIGTERM or SIGINT cancels a token, and calls in flight finish. The second one ends the
//! process at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::error::Error;

/// The exit code of a process that a signal ended, by the convention of shells: 128 + SIGINT.
const EXIT_CODE: i32 = 130;

/// A token that the first SIGTERM or SIGINT cancels.
pub(super) fn on_signal() -> Result<CancellationToken, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!("{name}: finishing calls in flight");
        token.cancel();
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!("{name} again: exiting now");
        std::process::exit(EXIT_CODE);
    });
    Ok(stop)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
