//! A server of Spark Connect whose answers are known, and which tells what it is asked
//! (tests/python/connect.py).

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::sealed::{interpreter, root};

/// The server, which ends with it.
pub(crate) struct Connect {
    lines: Lines<BufReader<ChildStdout>>,
    port: String,
    /// It ends when its standard input is closed.
    _child: Child,
}

impl Connect {
    /// A server that answers as `args` say.
    pub(crate) fn start(args: &[&str]) -> Connect {
        let mut command = Command::new(interpreter());
        command.arg(root().join("tests/python/connect.py")).args(args).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().expect("tests/python/connect.py begins").unwrap();
        Connect { lines, port, _child: child }
    }

    /// Its address, as `--on` wants it.
    pub(crate) fn on(&self) -> String {
        format!("spark://127.0.0.1:{}", self.port)
    }

    /// The same by TLS and by the name that its certificate has.
    pub(crate) fn by_tls(&self) -> String {
        format!("spark://localhost:{}/;use_ssl=true", self.port)
    }

    /// All that it was told in the next session, up to its end, or to the server's own.
    pub(crate) fn told(&mut self) -> Vec<Value> {
        let mut told: Vec<Value> = Vec::new();
        while told.last().is_none_or(|last| last["method"] != "ReleaseSession") {
            let Some(line) = self.lines.next() else { break };
            told.push(serde_json::from_str(&line.unwrap()).unwrap());
        }
        told
    }

    /// The statement that it is told next.
    pub(crate) fn statement(&mut self) -> Value {
        let told = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let mut told = told.filter(|told: &Value| told["sql"].is_string());
        told.next().expect("a statement")
    }
}

/// Those of the requests that are of a method.
pub(crate) fn of<'t>(told: &'t [Value], method: &str) -> Vec<&'t Value> {
    told.iter().filter(|told| told["method"] == method).collect()
}

/// The paths of the parts that a cluster was told to read.
pub(crate) fn paths(told: &[Value]) -> Vec<&str> {
    let views = told.iter().filter_map(|told| told["paths"].as_array());
    views.flatten().map(|path| path.as_str().unwrap()).collect()
}
