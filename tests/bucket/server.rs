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

    fn control(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.proxy.trim_start_matches("http://")).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }
}
