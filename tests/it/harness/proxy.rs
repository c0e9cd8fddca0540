//! A TCP proxy between the controller and the double that replaces one word in all responses.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running proxy. Dropping it stops it.
pub struct Proxy {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Its URL, for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Forwards to `target`, and replaces `old` by `new` in every response. They must be equally long, so that the
/// lengths in the response stay true.
pub async fn start(target: SocketAddr, [old, new]: [&'static str; 2]) -> Proxy {
    assert_eq!(old.len(), new.len());
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
                    () = forward_responses(to_read, from_write, [old, new]) => {}
                }
            });
        }
    });
    Proxy { address, task }
}

/// A response may come in chunks: the end of a chunk that could be the beginning of `old` is held back until the next
/// chunk. No response ends like that.
async fn forward_responses(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    [old, new]: [&str; 2],
) {
    let mut chunk = Vec::<u8>::with_capacity(1 << 16);
    while let Ok(1..) = from.read_buf(&mut chunk).await {
        let offsets: Vec<_> = chunk
            .windows(old.len())
            .enumerate()
            .filter(|(_, word)| *word == old.as_bytes())
            .map(|(offset, _)| offset)
            .collect();
        for offset in offsets {
            chunk[offset..offset + new.len()].copy_from_slice(new.as_bytes());
        }
        let is_partial = |length: &usize| chunk.ends_with(&old.as_bytes()[..*length]);
        let partial = (1..old.len()).rev().find(is_partial).unwrap_or_default();
        let complete = chunk.len() - partial;
        if to.write_all(&chunk[..complete]).await.is_err() {
            return;
        }
        chunk.drain(..complete);
    }
}
