//! Whatever a receiver of lineage sends back on its connection: a request ends in time, and what is kept of the answer is
//! bounded.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::glue::aws::Poster;
use crate::glue::aws::post::MAX_ANSWER;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_millis(200);
/// How much later it may end on a busy machine.
const LATE: Duration = Duration::from_secs(10);

/// What a receiver sends, and whether it closes the connection then.
fn answer() -> impl Strategy<Value = (Vec<u8>, bool)> {
    let line = prop_oneof![
        4 => (0..1200_u32).prop_map(|status| format!("HTTP/1.1 {status} Some\r\n")),
        1 => Just("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n".to_owned()),
        1 => any::<String>(),
    ];
    let header = prop_oneof![
        any::<u64>().prop_map(|seconds| format!("retry-after: {seconds}\r\n")),
        Just("retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n".to_owned()),
        Just("retry-after: -9223372036854775808\r\n".to_owned()),
        any::<u64>().prop_map(|length| format!("content-length: {length}\r\n")),
        Just("transfer-encoding: chunked\r\n".to_owned()),
        Just("location: http://127.0.0.1:1/\r\n".to_owned()),
        "[ -~]{0,40}\r\n",
    ];
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        Just(vec![0xff; 3 * MAX_ANSWER]),
        Just(b"ffffffffffffffff\r\nx".to_vec()),
    ];
    let parts = (line, prop::collection::vec(header, 0..4), body, any::<bool>());
    parts.prop_map(|(line, headers, body, closes)| {
        ([(line + &headers.concat() + "\r\n").into_bytes(), body].concat(), closes)
    })
}

/// Answers one request. Returns when the other end has closed the connection.
fn serve(listener: &TcpListener, (answer, closes): &(Vec<u8>, bool)) -> Option<()> {
    let (mut stream, _): (TcpStream, _) = listener.accept().ok()?;
    stream.set_read_timeout(Some(LATE)).ok()?;
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).ok()?;
    stream.write_all(answer).ok()?;
    while !closes && stream.read(&mut request).ok()? > 0 {}
    Some(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_of_a_receiver_are_taken(answer in answer()) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api/v1/lineage", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || serve(&listener, &answer));
        let begun = Instant::now();
        let posted = super::fixture::block_on_real_time(async {
            Poster::new(url, None, TIMEOUT).unwrap().post("{}".to_owned()).await
        });
        prop_assert!(begun.elapsed() < TIMEOUT + LATE, "it took {:?}", begun.elapsed());
        if let Ok(answer) = posted {
            // A byte that is no text becomes a character of three.
            prop_assert!(answer.text.len() <= 3 * MAX_ANSWER, "{} bytes", answer.text.len());
        }
        prop_assert!(served.join().is_ok());
    }
}
