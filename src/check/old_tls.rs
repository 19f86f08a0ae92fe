//! Begins a handshake in TLS 1.1, the newest version that services no longer speak, to learn whether a server would accept
//! it. rustls doesn't implement such old versions, so the few bytes are written here. The handshake is never completed.

use std::io::ErrorKind;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The newest version that is too old, as TLS writes it: TLS 1.1 (RFC 4346). A server that has only TLS 1.0 chooses TLS
/// 1.0.
const TOO_OLD: u16 = 0x0302;
/// The versions' names.
const NAMES: [(u16, &str); 3] = [(0x0300, "SSL 3.0"), (0x0301, "TLS 1.0"), (0x0302, "TLS 1.1")];
/// The types of records and messages that matter here (RFC 5246, sections 6.2.1 and 7.4).
const RECORD_ALERT: u8 = 21;
const RECORD_HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const CLIENT_HELLO: u8 = 1;
/// Cipher suites that servers of that time have: ECDHE and RSA with AES in CBC mode, and 3DES.
const SUITES: [u16; 7] = [0xc00a, 0xc014, 0xc009, 0xc013, 0x0035, 0x002f, 0x000a];
/// secp256r1, secp384r1 and secp521r1 (RFC 8422, section 5.1.1).
const CURVES: [u16; 3] = [23, 24, 25];
/// The extensions' numbers: server_name, supported_groups and ec_point_formats.
const EXTENSION_NAME: u16 = 0;
const EXTENSION_CURVES: u16 = 10;
const EXTENSION_POINTS: u16 = 11;

/// The errors of a connection that the other side has closed.
const CLOSED: [ErrorKind; 4] =
    [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe];

/// How a server responds to a ClientHello in a version of TLS that is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelloReply {
    /// The server would speak the version with this name.
    Accepts(&'static str),
    /// The server refuses to.
    Refuses,
}

/// Sends a ClientHello to a server, with this host name if one is given, and reads the response.
pub(super) async fn hello(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    name: Option<&str>,
) -> Result<HelloReply, String> {
    // A server may close the connection while this is being written, which is a refusal, too.
    let mut start = [0; 11];
    let exchanged = async {
        stream.write_all(&client_hello(name)).await?;
        stream.read_exact(&mut start).await
    };
    match exchanged.await {
        Ok(_) => {}
        // An alert is shorter than what is read here.
        Err(_) if start[0] == RECORD_ALERT => return Ok(HelloReply::Refuses),
        Err(error) if CLOSED.contains(&error.kind()) => return Ok(HelloReply::Refuses),
        Err(error) => return Err(error.to_string()),
    }
    // A record's type, version and length, then the message's type, its length and the version that the server chose.
    let [record, _, _, _, _, message, _, _, _, major, minor] = start;
    let chosen = u16::from_be_bytes([major, minor]);
    let name = NAMES.iter().find(|(version, _)| *version == chosen).map(|(_, name)| *name);
    match (record, message, name) {
        (RECORD_HANDSHAKE, SERVER_HELLO, Some(name)) => Ok(HelloReply::Accepts(name)),
        (RECORD_HANDSHAKE, SERVER_HELLO, None) | (RECORD_ALERT, ..) => Ok(HelloReply::Refuses),
        _ => Err("the response is not TLS".to_owned()),
    }
}

/// Returns a record with a ClientHello (RFC 4346, section 7.4.1.2).
fn client_hello(name: Option<&str>) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(name) = name {
        let entry = [&[0], prefixed(name.as_bytes()).as_slice()].concat();
        extensions.extend(extension(EXTENSION_NAME, &prefixed(&entry)));
    }
    extensions.extend(extension(EXTENSION_CURVES, &prefixed(&numbers(&CURVES))));
    // One point format, uncompressed.
    extensions.extend(extension(EXTENSION_POINTS, &[1, 0]));
    // The values of the random bytes don't matter, because no key is agreed on.
    let mut body = TOO_OLD.to_be_bytes().to_vec();
    body.extend([0x66; 32]);
    // No session.
    body.push(0);
    body.extend(prefixed(&numbers(&SUITES)));
    // One compression method, none.
    body.extend([1, 0]);
    body.extend(prefixed(&extensions));
    let message = [&[CLIENT_HELLO, 0], prefixed(&body).as_slice()].concat();
    [&[RECORD_HANDSHAKE, 3, 1], prefixed(&message).as_slice()].concat()
}

fn extension(number: u16, data: &[u8]) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), &prefixed(data)].concat()
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Returns the bytes, preceded by their number as two bytes. No part of a ClientHello is too long for that: a name has at
/// most 255 bytes.
fn prefixed(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [length.to_be_bytes().as_slice(), bytes].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn replied(reply: &[u8]) -> Result<HelloReply, String> {
        let (mut client, mut server) = tokio::io::duplex(4_096);
        server.write_all(reply).await.expect("written");
        server.shutdown().await.expect("closed");
        hello(&mut client, Some("localhost")).await
    }

    #[tokio::test]
    async fn the_version_that_a_server_chooses_is_read_and_anything_else_is_a_refusal_or_an_error() {
        let chosen = |minor| [22, 3, 1, 0, 50, 2, 0, 0, 46, 3, minor, 0, 0];
        assert_eq!(replied(&chosen(1)).await, Ok(HelloReply::Accepts("TLS 1.0")));
        assert_eq!(replied(&chosen(2)).await, Ok(HelloReply::Accepts("TLS 1.1")));
        assert_eq!(replied(&chosen(3)).await, Ok(HelloReply::Refuses));
        assert_eq!(replied(&[21, 3, 1, 0, 2, 2, 70]).await, Ok(HelloReply::Refuses));
        assert_eq!(replied(&[]).await, Ok(HelloReply::Refuses));
        assert_eq!(replied(b"HTTP/1.1 400 Bad Request\r\n\r\n").await, Err("the response is not TLS".to_owned()));
    }

    #[test]
    fn the_lengths_in_a_hello_add_up() {
        for name in [None, Some("app.example.com")] {
            let hello = client_hello(name);
            let number = |at: usize| usize::from(u16::from_be_bytes([hello[at], hello[at + 1]]));
            assert_eq!((number(3), number(7)), (hello.len() - 5, hello.len() - 9), "the record and the message");
            // The version, the random bytes, the session, the suites and the compression methods come before the extensions.
            let suites = 9 + 2 + 32 + 1;
            assert_eq!(number(suites), 2 * SUITES.len());
            let mut at = suites + 2 + number(suites) + 2;
            assert_eq!(number(at), hello.len() - at - 2);
            at += 2;
            let mut extensions = Vec::new();
            while at < hello.len() {
                extensions.push(number(at));
                at += 4 + number(at + 2);
            }
            assert_eq!(at, hello.len());
            assert_eq!(extensions.len(), if name.is_some() { 3 } else { 2 });
        }
    }
}
