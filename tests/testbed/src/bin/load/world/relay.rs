//! A TCP relay in front of the API server that delays everything that comes back.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// The chunks of a connection that may be on their way.
const ON_THE_WAY: usize = 1024;

/// A running relay. Dropping it closes its port; open connections live on.
#[derive(Debug)]
pub(crate) struct Relay {
    port: u16,
    /// Dropping it aborts the task.
    _task: JoinSet<()>,
}

impl Relay {
    /// Relays to a port of 127.0.0.1.
    pub(crate) async fn start(to: u16, delay: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, to));
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(stream, target, delay));
            }
        });
        Ok(Self { port, _task: task })
    }

    /// Its port of 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// Relays one connection until either side closes it.
async fn relay(from: TcpStream, target: SocketAddr, delay: Duration) {
    // An API server that is not there is a closed connection.
    let Ok(to) = TcpStream::connect(target).await else { return };
    let _ = (from.set_nodelay(true), to.set_nodelay(true));
    let ((mut requests, answers_to), (answers, mut requests_to)) = (from.into_split(), to.into_split());
    tokio::select! {
        _ = copy(&mut requests, &mut requests_to) => {}
        _ = delayed(answers, answers_to, delay) => {}
    }
}

/// Copies with a delay that does not limit the rate.
async fn delayed(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, delay: Duration) -> io::Result<()> {
    let (send, mut receive) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let read = async {
        loop {
            let mut chunk = Vec::with_capacity(16 * 1024);
            if from.read_buf(&mut chunk).await? == 0 || send.send((Instant::now() + delay, chunk)).await.is_err() {
                drop(send);
                return Ok::<_, io::Error>(());
            }
        }
    };
    let write = async {
        while let Some((due, chunk)) = receive.recv().await {
            sleep_until(due).await;
            to.write_all(&chunk).await?;
        }
        Ok(())
    };
    tokio::try_join!(read, write).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn chunks_arrive_in_order_each_after_the_delay() {
        let (mut source, from) = tokio::io::duplex(64);
        let (to, mut sink) = tokio::io::duplex(64);
        let delay = Duration::from_secs(1);
        let copied = tokio::spawn(delayed(from, to, delay));
        let (began, mut read) = (Instant::now(), [0; 1]);
        for (nth, byte) in [b"a", b"b"].into_iter().enumerate() {
            tokio::time::sleep_until(began + delay / 2 * u32::try_from(nth).unwrap()).await;
            source.write_all(byte).await.unwrap();
        }
        sink.read_exact(&mut read).await.unwrap();
        assert_eq!((read, began.elapsed().as_millis()), (*b"a", 1000));
        sink.read_exact(&mut read).await.unwrap();
        assert_eq!((read, began.elapsed().as_millis()), (*b"b", 1500));
        drop(source);
        copied.await.unwrap().unwrap();
    }
}
