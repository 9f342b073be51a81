//! The server of the bucket, one for all tests of this process, which ends with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use crate::sealed::{interpreter, root};

/// Its addresses.
pub(super) struct Server {
    pub(super) direct: String,
    pub(super) proxy: String,
    /// It ends when its standard input is closed.
    _child: Child,
}

/// What was asked of the proxy.
pub(super) struct Asked(serde_json::Value);

impl Asked {
    /// How often a method met a kind of key, as in `GET records`.
    pub(super) fn of(&self, what: &str) -> u64 {
        self.0["counts"][what].as_u64().unwrap_or(0)
    }

    /// The keys that a method met.
    pub(super) fn keys(&self, method: &str) -> Vec<String> {
        let keys = self.0["keys"].as_object().unwrap().keys();
        keys.filter_map(|key| Some(key.strip_prefix(method)?.trim().to_owned())).collect()
    }
}

pub(super) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let mut command = Command::new(interpreter());
        command.arg(root().join("tests/python/bucket.py")).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (direct, proxy) = line.trim().split_once(' ').expect("tests/python/bucket.py begins");
        let (direct, proxy) = (direct.to_owned(), proxy.to_owned());
        Server { direct, proxy, _child: child }
    })
}

impl Server {
    /// What goes wrong from now on; nothing with `{}`.
    pub(super) fn fault(&self, fault: &str) {
        self.control("POST", "/-/fault", fault);
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Asked {
        Asked(serde_json::from_str(&self.control("GET", "/-/count", "")).unwrap())
    }

    /// What an object of the bucket holds.
    pub(super) fn get(&self, key: &str) -> Vec<u8> {
        self.object("GET", key, b"")
    }

    /// Puts an object, as someone else would.
    pub(super) fn put(&self, key: &str, bytes: &[u8]) {
        self.object("PUT", key, bytes);
    }

    /// Deletes an object, as someone else would.
    pub(super) fn delete(&self, key: &str) {
        self.object("DELETE", key, b"");
    }

    /// The keys that begin so, in order; there are fewer than a thousand.
    pub(super) fn list(&self, begins: &str) -> Vec<String> {
        let text = self.object("GET", &format!("?list-type=2&prefix={begins}"), b"");
        texts(&String::from_utf8(text).unwrap(), "Key")
    }

    /// The keys of the uploads in pieces that were begun and are not ended.
    pub(super) fn uploads(&self) -> Vec<String> {
        texts(&String::from_utf8(self.object("GET", "?uploads", b"")).unwrap(), "Key")
    }

    fn object(&self, method: &str, key: &str, body: &[u8]) -> Vec<u8> {
        let path =
            if key.starts_with('?') { format!("/mail{key}") } else { format!("/mail/{key}") };
        let (head, body) = ask(&self.direct, method, &path, body);
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {head}");
        body
    }

    fn control(&self, method: &str, path: &str, body: &str) -> String {
        String::from_utf8(ask(&self.proxy, method, path, body.as_bytes()).1).unwrap()
    }
}

/// Whose requests are not signed sees nothing; nobody compares the signature.
const KEYS: &str = "AWS4-HMAC-SHA256 Credential=A/20260301/us-east-1/s3/aws4_request, Signature=0";

/// The head of an answer and its body.
fn ask(server: &str, method: &str, path: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(server.trim_start_matches("http://")).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {KEYS}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|at| at == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&answer[..at]).into_owned(), answer[at + 4..].to_vec())
}

/// What the tags of a name hold.
fn texts(xml: &str, tag: &str) -> Vec<String> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let after = xml.split(&open).skip(1);
    after.map(|rest| rest.split(&close).next().unwrap().to_owned()).collect()
}
