//! A store in a bucket, as a server on this machine has it: whatever that server, the network and the
//! other writers do, an answer is right or there is none.

mod delta;
mod faults;
mod life;
mod minutes;
mod questions;
mod repair;
mod server;
mod shared;
mod writers;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::sealed::Sealed;
use server::server;

/// A place for a store of its own, and the server.
pub(crate) fn place() -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    (format!("s3://mail/sealed-{n}"), server().direct.clone())
}

/// What an object of a store of [`place`] holds, by its name in the store.
pub(crate) fn object(store: &str, name: &str) -> String {
    let prefix = store.strip_prefix("s3://mail/").unwrap();
    String::from_utf8(server().get(&format!("{prefix}/{name}"))).unwrap()
}

/// A store of its own in the bucket, with a machine that asks and writes.
struct There {
    sealed: Sealed,
    prefix: String,
    endpoint: String,
}

impl There {
    /// Reached as it is.
    fn new() -> There {
        There::by(&server().direct)
    }

    /// Reached through what counts and does wrong.
    fn by_proxy() -> There {
        There::by(&server().proxy)
    }

    fn by(endpoint: &str) -> There {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("store-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        There { sealed: Sealed::new(), prefix, endpoint: endpoint.to_owned() }
    }

    /// Another machine that knows nothing of the store yet.
    fn other_machine(&self) -> There {
        let (prefix, endpoint) = (self.prefix.clone(), self.endpoint.clone());
        There { sealed: Sealed::new(), prefix, endpoint }
    }

    fn store(&self) -> String {
        format!("s3://mail/{}", self.prefix)
    }

    fn variables(&self) -> Vec<(&str, String)> {
        vec![
            ("PMTAQ_STORE", self.store()),
            ("PMTAQ_CACHE", self.sealed.dir.path().join("cache").to_str().unwrap().to_owned()),
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", "AKIAOURTESTKEY".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "the+secret/of=us".to_owned()),
        ]
    }

    fn run(&self, args: &[&str]) -> crate::sealed::Run {
        let variables = self.variables();
        let variables: Vec<_> =
            variables.iter().map(|(name, text)| (*name, text.as_str())).collect();
        self.sealed.run_with(&variables, args)
    }

    fn done(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, Some(0), "{args:?}\n{}", run.stderr);
        run.stdout
    }

    fn number(&self, sql: &str) -> i64 {
        let text = self.done(&["sql", sql, "--format", "csv"]);
        text.lines().nth(1).unwrap().parse().unwrap()
    }

    /// `(read, stored, duplicate, rejected)` of an ingest, which balance.
    fn ingest(&self, path: &str) -> (u64, u64, u64, u64) {
        let run = self.run(&["ingest", "-q", "--format", "json", path]);
        assert!(matches!(run.code, Some(0 | 4)), "{run:?}");
        counts(&run.stdout)
    }

    /// The program, begun.
    fn begin(&self, args: &[&str]) -> Child {
        let mut command: Command = self.sealed.command();
        command.args(["--now", "2026-03-05T12:00:00Z", "--threads", "1"]).args(args);
        command.envs(self.variables()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The key in the bucket of a file of the store.
    fn key(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    /// The keys of the objects of the store that begin so, without what comes before the store.
    fn objects(&self, begins: &str) -> Vec<String> {
        let strip = |key: String| key.strip_prefix(&self.key("")).unwrap().to_owned();
        server().list(&self.key(begins)).into_iter().map(strip).collect()
    }

    fn cached(&self, name: &str) -> Vec<PathBuf> {
        let pattern = self.sealed.dir.path().join("cache/*").join(name).join("*/*");
        glob::glob(pattern.to_str().unwrap()).unwrap().map(Result::unwrap).collect()
    }
}

fn counts(json: &str) -> (u64, u64, u64, u64) {
    let ledger: serde_json::Value = serde_json::from_str(json).unwrap();
    let of = |key: &str| ledger[0][key].as_u64().unwrap();
    let counts = (of("read"), of("stored"), of("duplicate"), of("rejected"));
    assert_eq!(counts.0, counts.1 + counts.2 + counts.3, "{json}");
    counts
}

/// An accounting file of `n` deliveries on a day, unlike all of other names.
fn file(name: &str, day: u32, n: u32) -> String {
    let mut text = "type,timeLogged,orig,rcpt,vmta,dlvSize\n".to_owned();
    for i in 0..n {
        let (minute, second) = (i / 60 % 60, i % 60);
        text += &format!(
            "d,2026-03-{day:02} 10:{minute:02}:{second:02}+0000,s@news.example,{name}-{i}@gmail.com,v1,100\n"
        );
    }
    text
}
