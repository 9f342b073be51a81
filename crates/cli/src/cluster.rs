//! The cluster that may answer in place of this process: which one the user means, whether it is asked, and
//! by which paths it finds the store. Knows no statement.

pub(crate) mod table;

use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::RecordBatch;
use pmtaq_cluster::{Address, Cluster, SessionSettings};
use pmtaq_query::{Batches, Elsewhere, Error};
use pmtaq_store::Snapshot;
use pmtaq_store::layout::Table;

use crate::failure::{Failure, Result};
use crate::settings;
use crate::trust;
use table::ClusterSettings;

/// The variable that holds the token, so that no file has to.
const TOKEN: &str = "PMTAQ_CLUSTER_TOKEN";

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
        let ca = || trust::authorities(self.settings.ca.as_deref()).map_err(Failure::usage);
        let authorities = if address.tls { ca()? } else { None };
        let settings = SessionSettings { address: address.clone(), token, authorities };
        Cluster::connect(&settings).map_err(|error| {
            let failure = Failure::failed(&error);
            if error.to_string().contains("certificate") {
                return failure
                    .hint("the setting cluster.ca names a file of those that are trusted");
            }
            failure
        })
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
