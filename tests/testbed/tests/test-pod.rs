//! The program that the test of the kubelet runs in a Pod. It prints its arguments and environment and serves HTTP:
//! `/ready` fails after a request for `/unready`, `/live` fails after a request for `/die`.
#![allow(clippy::print_stdout)]

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
};

fn main() -> std::io::Result<()> {
    let name = |name: &str| env::var(name).unwrap_or_default();
    println!("args={:?}", env::args().skip(1).collect::<Vec<_>>());
    println!("pod={} secret={} extra={}", name("POD_NAME"), name("SECRET"), name("EXTRA"));
    println!("kubeconfig={}", name("KUBECONFIG"));
    let listener = TcpListener::bind(name("KUBE_GLUE_HTTP_ADDRESS"))?;
    let (mut ready, mut live) = (true, true);
    for stream in listener.incoming() {
        // A closed connection is not an error of this program.
        if let Err(error) = stream.and_then(|stream| answer(&stream, &mut ready, &mut live)) {
            println!("connection: {error}");
        }
    }
    Ok(())
}

fn answer(mut stream: &TcpStream, ready: &mut bool, live: &mut bool) -> std::io::Result<()> {
    // Read the whole request: closing a connection with unread bytes resets it.
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    match path {
        "/unready" => *ready = false,
        "/die" => *live = false,
        _ => {}
    }
    let good = (path != "/ready" || *ready) && (path != "/live" || *live);
    println!("{path}: {good}");
    let status = if good { "200 OK" } else { "503 Service Unavailable" };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}
