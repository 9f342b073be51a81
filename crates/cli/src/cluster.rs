//! The cluster that may answer in place of this process: which one the user means, whether it is asked, and
//! by which paths it finds the store. Knows no statement.

use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::RecordBatch;
use pmtaq_cluster::{Address, Cluster, Settings};
use pmtaq_query::{Batches, Elsewhere, Error};
use pmtaq_schema::size::parse_bytes;
use pmtaq_store::Snapshot;
use pmtaq_store::layout::Table;

use crate::failure::{Failure, Result};
use crate::settings;

/// The variable that holds the token, so that no file has to.
const TOKEN: &str = "PMTAQ_CLUSTER_TOKEN";

/// What the table `cluster` of the configuration says.
#[derive(Clone, Default)]
pub(crate) struct ClusterSettings {
    /// Where it is.
    pub(crate) url: Option<String>,
    /// Who we are; never shown.
    pub(crate) token: Option<String>,
    /// What it calls the root of the store.
    pub(crate) root: Option<String>,
    /// From how many bytes on it is asked where nobody says which.
    pub(crate) from: Option<u64>,
}

impl fmt::Debug for ClusterSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClusterSettings { url, root, from, .. } = self;
        f.debug_struct("ClusterSettings")
            .field("url", url)
            .field("root", root)
            .field("from", from)
            .finish()
    }
}

impl ClusterSettings {
    /// The names of its lines.
    pub(crate) const NAMES: [&str; 4] = ["url", "token", "root", "from"];

    /// Takes a line.
    ///
    /// # Errors
    /// What is wrong with it; never with the token in it.
    pub(crate) fn take(&mut self, name: &str, text: String) -> std::result::Result<(), String> {
        match name {
            "url" => {
                Address::parse(&text).map_err(|what| format!("`cluster.url`: {what}"))?;
                self.url = Some(text);
            }
            "token" => self.token = Some(text),
            "root" => self.root = Some(text),
            "from" => {
                self.from =
                    Some(parse_bytes(&text).map_err(|what| format!("`cluster.from`: {what}"))?);
            }
            _ => return Err(format!("there is no setting `cluster.{name}`")),
        }
        Ok(())
    }

    /// The lines as they are shown: a token is only said to be there.
    pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
        let lines = [
            ("url", self.url.clone()),
            ("token", self.token.as_ref().map(|_| "set".to_owned())),
            ("root", self.root.clone()),
            ("from", self.from.map(|bytes| format!("{bytes} bytes"))),
        ];
        lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Bytes of records from which on a cluster is asked, when nobody says how many.
const FROM: u64 = 4_000_000_000;

/// Which engine answers: what the user said, and the connection, once there is one.
pub(crate) struct Answering {
    on: On,
    settings: ClusterSettings,
    /// What the paths of parts begin with here, and there.
    store: String,
    connection: OnceLock<Arc<Cluster>>,
    name: OnceLock<String>,
}

/// What `--on` says.
enum On {
    Local,
    Auto(Address),
    Cluster(Address),
}

impl Answering {
    /// Reads `--on`; `store` is the root of the store, as paths of parts have it.
    ///
    /// # Errors
    /// [`Failure::usage`] for what is no address, or an `auto` without one.
    pub(crate) fn new(on: &str, settings: &ClusterSettings, store: String) -> Result<Answering> {
        let url = || {
            let url = settings.url.as_deref().map(Address::parse);
            let url =
                url.transpose().map_err(|what| Failure::usage(format!("cluster.url: {what}")));
            url?.ok_or_else(|| {
                Failure::usage(format!("`--on {on}` needs to know the cluster")).hint(
                    "url = \"spark://HOST:PORT\" in the table [cluster] of the configuration names it",
                )
            })
        };
        let on = match on {
            "local" => On::Local,
            "auto" => On::Auto(url()?),
            "cluster" => On::Cluster(url()?),
            address => On::Cluster(Address::parse(address).map_err(|what| {
                Failure::usage(format!("--on: {what}"))
                    .hint("local, auto, cluster or the address of a Spark Connect server, spark://HOST:PORT")
            })?),
        };
        Ok(Answering {
            on,
            settings: settings.clone(),
            store,
            connection: OnceLock::new(),
            name: OnceLock::new(),
        })
    }

    /// The cluster, if it is to answer from `snapshot`.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub(crate) fn of(&self, snapshot: &Snapshot) -> Result<Option<Rc<dyn Elsewhere>>> {
        let address = match &self.on {
            On::Local => return Ok(None),
            On::Auto(address) => {
                let parts = snapshot.parts.iter().filter(|part| part.part.table == Table::Records);
                let bytes: u64 = parts.map(|part| part.part.bytes).sum();
                if bytes < self.settings.from.unwrap_or(FROM) {
                    return Ok(None);
                }
                address
            }
            On::Cluster(address) => address,
        };
        let connection = match self.connection.get() {
            Some(connection) => connection.clone(),
            None => {
                let connection = Arc::new(self.connect(address)?);
                self.connection.get_or_init(|| connection).clone()
            }
        };
        let name = match connection.version() {
            "" => format!("the cluster at {address}"),
            version => format!("Spark {version} at {address}"),
        };
        let _ = self.name.set(name.clone());
        let paths = (self.store.clone(), self.settings.root.clone());
        Ok(Some(Rc::new(There { connection, name, paths })))
    }

    fn connect(&self, address: &Address) -> Result<Cluster> {
        let token = settings::variable(TOKEN).or_else(|| self.settings.token.clone());
        if token.is_some() && !address.tls && !address.is_loopback() {
            return Err(Failure::usage(format!("the token is not sent to {address} without TLS"))
                .hint("add /;use_ssl=true to the address, as in spark://HOST:443/;use_ssl=true"));
        }
        let settings = Settings { address: address.clone(), token };
        Cluster::connect(&settings).map_err(|error| Failure::failed(&error))
    }

    /// The cluster that has been asked, if one has.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.get().map(String::as_str)
    }
}

/// A cluster that answers a session.
struct There {
    connection: Arc<Cluster>,
    name: String,
    paths: (String, Option<String>),
}

impl fmt::Debug for There {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Elsewhere for There {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn path(&self, path: &str) -> pmtaq_query::Result<String> {
        path_there(path, &self.paths.0, self.paths.1.as_deref()).map_err(Error::Elsewhere)
    }

    fn files(&self, name: &str, schema: &str, paths: &[String]) -> pmtaq_query::Result<()> {
        self.connection.files(name, schema, paths.to_vec()).map_err(told)
    }

    fn rows(&self, name: &str, rows: &RecordBatch) -> pmtaq_query::Result<()> {
        self.connection.rows(name, rows).map_err(told)
    }

    fn run(&self, sql: &str, timeout: Option<Duration>) -> pmtaq_query::Result<Batches<'_>> {
        let answer = self.connection.run(sql, timeout).map_err(told)?;
        Ok(Box::new(answer.map(|batch| batch.map_err(told))))
    }

    fn stop(&self) -> Arc<dyn Fn() + Send + Sync> {
        let stop = self.connection.stop();
        Arc::new(move || stop.stop())
    }
}

fn told(error: pmtaq_cluster::Error) -> Error {
    match error {
        pmtaq_cluster::Error::Interrupted => Error::Interrupted,
        pmtaq_cluster::Error::Timeout(time) => Error::Timeout(time),
        error => Error::Elsewhere(error.to_string()),
    }
}

/// The path by which a cluster finds a part: under the root that it has for the store, else as it lies here.
fn path_there(path: &str, store: &str, root: Option<&str>) -> std::result::Result<String, String> {
    let within =
        path.strip_prefix(store.trim_end_matches('/')).filter(|rest| rest.starts_with('/'));
    let path = match (root, within) {
        (Some(root), Some(within)) => format!("{}{within}", root.trim_end_matches('/')),
        _ if path.contains("://") => path.to_owned(),
        _ => {
            let full = PathBuf::from(path).canonicalize();
            let full = full.map_err(|error| format!("{path}: {error}"))?;
            format!("file://{}", full.display())
        }
    };
    // It reads a path as a pattern.
    match path.chars().find(|c| "*?{}[]\\,%#".contains(*c)) {
        Some(c) => Err(format!("a cluster takes the {c} of {path} for a pattern")),
        None => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_under_the_root_that_the_cluster_has() {
        let s3 = |root| path_there("s3://b/p/records/x.parquet", "s3://b/p", root);
        assert_eq!(s3(None).as_deref(), Ok("s3://b/p/records/x.parquet"));
        assert_eq!(s3(Some("s3a://b/p/")).as_deref(), Ok("s3a://b/p/records/x.parquet"));
        let folder = path_there("/data/store/records/x", "/data/store", Some("hdfs://n/s"));
        assert_eq!(folder.as_deref(), Ok("hdfs://n/s/records/x"));
        let other = path_there("/data/store2/x", "/data/store", Some("/mnt"));
        assert!(other.is_err(), "it is no part of the store: {other:?}");
        assert!(path_there("s3://b/{x}", "s3://b", None).is_err());
    }

    #[test]
    fn a_token_is_never_shown() {
        let mut settings = ClusterSettings::default();
        settings.take("token", "hidden".to_owned()).expect("a token");
        settings.take("url", "spark://a:1".to_owned()).expect("an address");
        let shown = format!("{settings:?} {:?}", settings.shown());
        assert!(shown.contains("spark://a:1") && !shown.contains("hidden"), "{shown}");
        assert!(settings.take("url", "http://a".to_owned()).is_err());
        assert!(settings.take("from", "much".to_owned()).is_err());
        assert!(settings.take("form", String::new()).is_err());
    }

    #[test]
    fn a_token_is_not_sent_in_plain_text() {
        let settings =
            ClusterSettings { token: Some("hidden".to_owned()), ..ClusterSettings::default() };
        let answering =
            Answering::new("spark://node:1", &settings, String::new()).expect("an address");
        let Err(failure) = answering.connect(&Address::parse("spark://node:1").expect("one"))
        else {
            panic!("it connected");
        };
        assert!(failure.text().contains("without TLS") && !failure.text().contains("hidden"));
    }
}
