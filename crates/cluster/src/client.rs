//! A session on a cluster: what it is told once, what is asked of it, and what stops it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::io::Cursor;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep, timeout};
use tonic::{Status, Streaming};

use crate::address::Address;
use crate::error::{Error, Result};
use crate::messages::{
    AnalyzeRequest, AnalyzeResponse, Command, ConfigOperation, ConfigRequest, CreateView,
    DataSource, ExecuteRequest, ExecuteResponse, InterruptRequest, KeyValue, LocalRelation,
    Nothing, Plan, PlanOf, Read, Relation, RelationOf, ReleaseRequest, Set, Sql, User,
};
use crate::wire::Wire;

/// Who asks, in the list of a cluster's sessions.
const NAME: &str = "pmtaq";

/// How long a cluster may take to say who it is.
const GREETING: Duration = Duration::from_secs(60);

/// How long a cluster may take to hear that it should stop, or that nobody asks any more.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a cluster must be, so that it answers as the engine at home does: an overflow or a text that is no
/// number is an error and not another number; times have no zone.
const CONFIG: [(&str, &str); 5] = [
    ("spark.sql.ansi.enabled", "true"),
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.timestampType", "TIMESTAMP_NTZ"),
    ("spark.sql.parquet.inferTimestampNTZ.enabled", "true"),
    ("spark.sql.caseSensitive", "false"),
];

/// What a session needs to know.
#[derive(Clone)]
pub struct SessionSettings {
    /// Where the cluster is.
    pub address: Address,
    /// Who we are, if it wants to know.
    pub token: Option<String>,
    /// Whose certificates are trusted, in PEM; without any, Mozilla's authorities.
    pub authorities: Option<String>,
}

/// A message that tells who asks, and in which session.
macro_rules! message {
    ($session:expr, $name:ident { $($fields:tt)* }) => {
        $name {
            session_id: $session.to_owned(),
            user: Some(User { user_id: NAME.to_owned() }),
            client_type: Some(NAME.to_owned()),
            $($fields)*
        }
    };
}

/// A session on a cluster. It ends when it is dropped.
pub struct Cluster {
    runtime: Runtime,
    wire: Wire,
    address: String,
    session: String,
    version: String,
    /// The views that it has been told of.
    views: Mutex<HashSet<String>>,
    stop: Stop,
}

/// Stops what runs, from another thread.
#[derive(Clone, Default)]
pub struct Stop(Arc<Stopped>);

#[derive(Default)]
struct Stopped {
    asked: AtomicBool,
    wake: Notify,
}

/// The rows of an answer, batch by batch.
pub struct BatchStream<'c> {
    cluster: &'c Cluster,
    stream: Streaming<ExecuteResponse>,
    operation: String,
    limit: Option<Limit>,
    /// Batches of a message that brought several.
    waiting: VecDeque<RecordBatch>,
    is_over: bool,
}

/// The end of the time that an operation may take.
struct Limit {
    time: Duration,
    end: Pin<Box<Sleep>>,
}

impl Cluster {
    /// Connects, and tells the cluster how it must be.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Refused`], [`Error::Protocol`].
    pub fn connect(settings: &SessionSettings) -> Result<Cluster> {
        let address = settings.address.to_string();
        let unreachable = |what| Error::Unreachable { address: address.clone(), what };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| unreachable(error.to_string()))?;
        let SessionSettings { address: to, token, authorities } = settings;
        let wire = Wire::connect(to, token.as_deref(), authorities.as_deref());
        let wire = runtime.block_on(wire).map_err(unreachable)?;
        let session = random_id().map_err(unreachable)?;
        let mut cluster = Cluster {
            runtime,
            wire,
            address,
            session,
            version: String::new(),
            views: Mutex::default(),
            stop: Stop::default(),
        };
        cluster.configure()?;
        cluster.version = match cluster.ask_version() {
            // Who is no Spark may have none.
            Err(Error::Failed { .. }) => String::new(),
            version => version?,
        };
        Ok(cluster)
    }

    /// The version of Spark that it is, as it says; empty where it is another engine.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What stops that which runs.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Lets statements read Parquet files by the name `view`, with columns as `schema` has them: names and
    /// types in the words of the cluster. The same name always means the same files.
    ///
    /// # Errors
    /// [`Error::Failed`] when the cluster does not take it.
    pub fn files(&self, view: &str, schema: &str, paths: Vec<String>) -> Result<()> {
        self.view(view, || {
            let source = DataSource {
                format: Some("parquet".to_owned()),
                schema: Some(schema.to_owned()),
                options: HashMap::new(),
                paths,
            };
            Ok(RelationOf::Read(Read { data_source: Some(source) }))
        })
    }

    /// Lets statements read `rows` by the name `view`. The same name always means the same rows.
    ///
    /// # Errors
    /// As for [`Cluster::files`].
    pub fn rows(&self, view: &str, rows: &RecordBatch) -> Result<()> {
        self.view(view, || {
            let mut data = Vec::new();
            let written =
                StreamWriter::try_new(&mut data, &rows.schema()).and_then(|mut writer| {
                    writer.write(rows)?;
                    writer.finish()
                });
            written.map_err(|error| self.protocol(&error.to_string()))?;
            Ok(RelationOf::Local(LocalRelation { data: Some(data) }))
        })
    }

    fn view(&self, name: &str, relation: impl FnOnce() -> Result<RelationOf>) -> Result<()> {
        let is_told = |views: &Mutex<HashSet<String>>| {
            views.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
        };
        if is_told(&self.views) {
            return Ok(());
        }
        let input = Some(Relation { of: Some(relation()?) });
        let create_view = Some(CreateView { input, name: name.to_owned(), replace: true });
        let plan = PlanOf::Command(Command { create_view });
        self.start(plan, None)?.try_for_each(|batch| batch.map(drop))?;
        self.views.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Ok(())
    }

    /// Runs a statement, which may take so long.
    ///
    /// # Errors
    /// What the cluster says before the first row; what goes wrong later comes in place of a batch.
    pub fn run(&self, statement: &str, timeout: Option<Duration>) -> Result<BatchStream<'_>> {
        let of = Some(RelationOf::Sql(Sql { query: statement.to_owned() }));
        self.start(PlanOf::Root(Relation { of }), timeout)
    }

    fn start(&self, plan: PlanOf, time: Option<Duration>) -> Result<BatchStream<'_>> {
        self.stop.0.asked.store(false, Ordering::SeqCst);
        let operation = random_id().map_err(|what| self.protocol(&what))?;
        let request = message!(
            self.session,
            ExecuteRequest {
                plan: Some(Plan { of: Some(plan) }),
                operation_id: Some(operation.clone()),
            }
        );
        let mut limit = time.map(|time| self.limit(time));
        let stream = self.wire.stream::<_, ExecuteResponse>("ExecutePlan", request);
        let stream = self.wait(&operation, &mut limit, stream)?;
        let waiting = VecDeque::new();
        Ok(BatchStream { cluster: self, stream, operation, limit, waiting, is_over: false })
    }

    fn limit(&self, time: Duration) -> Limit {
        let _timers = self.runtime.enter();
        Limit { time, end: Box::pin(sleep(time)) }
    }

    /// Waits for `future`, the answer of a cluster that is met for the first time.
    fn greet<T>(
        &self,
        future: impl Future<Output = std::result::Result<T, Box<Status>>>,
    ) -> Result<T> {
        let answer = self.wait("", &mut Some(self.limit(GREETING)), future);
        answer.map_err(|error| match error {
            Error::Timeout(time) => {
                let what = format!("it does not answer within {} s", time.as_secs());
                Error::Unreachable { address: self.address.clone(), what }
            }
            error => error,
        })
    }

    /// Waits for `future`, until the time is over or someone stops it.
    fn wait<T>(
        &self,
        operation: &str,
        limit: &mut Option<Limit>,
        future: impl Future<Output = std::result::Result<T, Box<Status>>>,
    ) -> Result<T> {
        self.runtime.block_on(async {
            let is_late = async {
                match limit {
                    Some(limit) => {
                        limit.end.as_mut().await;
                        Error::Timeout(limit.time)
                    }
                    None => std::future::pending().await,
                }
            };
            let error = tokio::select! {
                answer = future => {
                    let has_token = self.wire.has_token();
                    return answer.map_err(|status| Error::of(&status, &self.address, has_token));
                }
                error = is_late => error,
                () = self.stop.asked() => Error::Interrupted,
            };
            let _ = timeout(FAREWELL, self.interrupt(operation)).await;
            Err(error)
        })
    }

    async fn interrupt(&self, operation: &str) {
        let operation_id = Some(operation.to_owned());
        let request = message!(self.session, InterruptRequest { kind: 3, operation_id });
        let _ = self.wire.call::<_, Nothing>("Interrupt", request).await;
    }

    fn configure(&self) -> Result<()> {
        let pairs = CONFIG
            .map(|(key, value)| KeyValue { key: key.to_owned(), value: Some(value.to_owned()) });
        let operation = Some(ConfigOperation { set: Some(Set { pairs: pairs.into() }) });
        let request = message!(self.session, ConfigRequest { operation });
        self.greet(self.wire.call::<_, Nothing>("Config", request)).map(drop)
    }

    fn ask_version(&self) -> Result<String> {
        let request = message!(self.session, AnalyzeRequest { spark_version: Some(Nothing {}) });
        let answer: AnalyzeResponse = self.greet(self.wire.call("AnalyzePlan", request))?;
        answer.spark_version.map(|of| of.version).ok_or_else(|| self.protocol("it has no version"))
    }

    fn protocol(&self, what: &str) -> Error {
        Error::Protocol { address: self.address.clone(), what: what.to_owned() }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let request = message!(self.session, ReleaseRequest {});
        let release = self.wire.call::<_, Nothing>("ReleaseSession", request);
        let _ = self.runtime.block_on(async { timeout(FAREWELL, release).await });
    }
}

impl Stop {
    /// Lets what runs end with [`Error::Interrupted`].
    pub fn stop(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.wake.notify_waiters();
    }

    /// Ends when someone asks to stop.
    async fn asked(&self) {
        loop {
            // Before the question, so that no call between both is missed.
            let woken = self.0.wake.notified();
            if self.0.asked.load(Ordering::SeqCst) {
                return;
            }
            woken.await;
        }
    }
}

impl BatchStream<'_> {
    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.waiting.pop_front() {
                return Ok(Some(batch));
            }
            let next = self.stream.message();
            let next = async { next.await.map_err(Box::new) };
            let Some(answer) = self.cluster.wait(&self.operation, &mut self.limit, next)? else {
                return Ok(None);
            };
            let Some(batch) = answer.arrow_batch else { continue };
            let batches = StreamReader::try_new(Cursor::new(batch.data), None)
                .and_then(|reader| reader.collect::<std::result::Result<Vec<_>, _>>());
            let batches = batches.map_err(|error| self.cluster.protocol(&error.to_string()))?;
            self.waiting.extend(batches);
        }
    }
}

impl Iterator for BatchStream<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.step().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Drop for BatchStream<'_> {
    fn drop(&mut self) {
        // Nobody reads the rest, so nobody should make it.
        if !self.is_over {
            let cluster = self.cluster;
            let farewell = cluster.interrupt(&self.operation);
            let _ = cluster.runtime.block_on(async { timeout(FAREWELL, farewell).await });
        }
    }
}

/// A random UUID (RFC 9562, version 4), which names sessions and operations.
fn random_id() -> std::result::Result<String, String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(parts.join("-"))
}
