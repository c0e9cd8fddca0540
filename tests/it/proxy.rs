//! Stands between the controller and Glue and puts one word into Glue's mouth that the double cannot say.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running relay; dropping it ends it.
pub struct Relay {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Relay {
    /// Its URL, for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Relays to `target`, with the second of two equally long words in place of the first in every answer.
pub async fn start(target: SocketAddr, words: [&'static str; 2]) -> Relay {
    assert_eq!(words[0].len(), words[1].len());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        while let Ok((from, _)) = listener.accept().await {
            tokio::spawn(async move {
                let to = TcpStream::connect(target).await.expect("the target");
                let (mut from_read, from_write) = from.into_split();
                let (to_read, mut to_write) = to.into_split();
                tokio::select! {
                    _ = copy(&mut from_read, &mut to_write) => {}
                    () = answers(to_read, from_write, words) => {}
                }
            });
        }
    });
    Relay { address, task }
}

/// An answer may come in pieces: what could be the beginning of the word waits for the rest. No answer ends so.
async fn answers(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, [old, new]: [&str; 2]) {
    let mut piece = Vec::<u8>::with_capacity(1 << 16);
    while let Ok(1..) = from.read_buf(&mut piece).await {
        let places: Vec<_> = piece
            .windows(old.len())
            .enumerate()
            .filter(|(_, word)| *word == old.as_bytes())
            .map(|(at, _)| at)
            .collect();
        for at in places {
            piece[at..at + new.len()].copy_from_slice(new.as_bytes());
        }
        let begun = (1..old.len()).rev().find(|begun| piece.ends_with(&old.as_bytes()[..*begun])).unwrap_or_default();
        let whole = piece.len() - begun;
        if to.write_all(&piece[..whole]).await.is_err() {
            return;
        }
        piece.drain(..whole);
    }
}
