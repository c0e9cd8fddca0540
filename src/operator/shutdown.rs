//! From a signal to the word to stop.
//!
//! The first SIGTERM or SIGINT cancels the token that everything else waits for; what is in flight
//! then finishes. A second one ends the process on the spot.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::error::Error;

/// What a shell expects of a process that a second signal ended (128 + SIGINT).
const ABORTED: i32 = 130;

/// The token that the first SIGTERM or SIGINT cancels.
pub fn on_signal() -> Result<CancellationToken, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!("{name}: finishing what is in flight");
        told.cancel();
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!("{name} again: ending now");
        std::process::exit(ABORTED);
    });
    Ok(stop)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
