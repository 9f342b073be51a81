//! DuckDB in memory over the parts of a snapshot: settings, views, running a query.
//!
//! Confined: it reads the parts and nothing else, writes nothing, loads no extension, and its
//! settings are locked before any user's SQL is seen.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use duckdb::types::TimeUnit;
use duckdb::{Config, Connection};
use pmtaq_schema::bounce::BounceClasses;
use pmtaq_schema::columns::{HOURLY, TIERS};
use pmtaq_schema::site::SiteDimension;
use pmtaq_schema::{Window, Zone};
use pmtaq_store::layout::Table;
use pmtaq_store::{Snapshot, SnapshotPart};

use crate::answered::{Answered, Key};
use crate::beyond::Beyond;
use crate::deadline::Deadline;
use crate::elsewhere::Elsewhere;
use crate::error::{Error, Result};
use crate::fields;
use crate::hours::{HOURS_VIEW, Hours, hours_view, is_at_edge};
use crate::lack::Lack;
use crate::leaves::Leaves;
use crate::opened::Opened;
use crate::prelude;
use crate::query::{OverHours, Query, Shape, Value};
use crate::replies::{Replies, read_edges};
use crate::rows::{Interrupt, Rows};
use crate::setup::{
    CONFINEMENT, Naming, Parts, SETTINGS, allowance, edges_setup, hours_setup, local_macros, near,
    records_setup, records_view, rollup_view,
};
use crate::user_views::UserViews;
use crate::variables;
use crate::written::Written;

/// What a session may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Threads.
    pub threads: usize,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// A folder for what does not fit into memory, and how many bytes of it; none for nowhere. The
    /// caller makes it, for this session alone, and deletes it.
    pub spill: Option<(PathBuf, u64)>,
    /// How long each query may take.
    pub timeout: Option<Duration>,
}

impl Limits {
    /// Nothing is written, and a query may take as long as it takes.
    pub const fn new(threads: usize, memory_bytes: u64) -> Limits {
        Limits { threads, memory_bytes, spill: None, timeout: None }
    }

    /// How many things of so many bytes may be held beside the engine: a quarter of the memory is theirs.
    pub(crate) fn room_beside(&self, bytes: u64) -> u64 {
        self.memory_bytes / 4 / bytes
    }
}

/// What holds for all that a session answers.
#[derive(Clone, Debug)]
pub struct SessionConfig<'c> {
    /// The zone of local times.
    pub zone: Zone,
    /// What the engine may use.
    pub limits: Limits,
    /// The site's own classes of bounce categories.
    pub classes: &'c BounceClasses,
    /// Files that SQL may read besides the parts; of a folder, what lies in it.
    pub files: &'c [PathBuf],
}

/// An open engine over one snapshot.
pub struct Session {
    connection: Connection,
    interrupted: Arc<AtomicBool>,
    setup: String,
    /// The views over the records, until a statement needs them: the engine takes a tenth of what it
    /// takes to begin.
    pending_views: RefCell<Option<String>>,
    /// Whether all parts are here, since something read records.
    are_here: Cell<bool>,
    pub(crate) user_views: RefCell<UserViews>,
    pub(crate) opened: [Opened; 3],
    /// The rollups of `hourly`, as [`Table::TIERS`] lists them, and the statements that created their views.
    pub(crate) tiers: [Opened; TIERS.len()],
    pub(crate) tier_views: RefCell<[String; TIERS.len()]>,
    /// The columns that are others than the parts have, in SQL: the class of a bounce by the site's own
    /// words, and what old parts lack.
    pub(crate) replaced: Vec<String>,
    /// What the views have of replies.
    pub(crate) replies: Cell<Replies>,
    /// What the table of what is known of replies has, once it was asked for.
    pub(crate) known_replies: Cell<Option<Replies>>,
    /// The variables that are set.
    pub(crate) variables: RefCell<BTreeSet<String>>,
    /// Whether every day that was opened has a rollup.
    pub(crate) has_hours: bool,
    /// The window that the rollup answers for.
    pub(crate) window: Cell<Window>,
    /// What the rollup can answer.
    hours: Hours,
    pub(crate) zone: Zone,
    /// What a query may use; where it may spill is the engine's matter.
    pub(crate) limits: Limits,
    /// The engine that answers in place of the one here.
    pub(crate) elsewhere: Option<Rc<dyn Elsewhere>>,
    /// What the records have, by what was asked of them.
    pub(crate) written: RefCell<HashMap<String, Rc<Vec<Written>>>>,
    /// What the store has beyond this session.
    pub(crate) beyond: Beyond,
    /// Why numbers are missing in what was asked.
    pub(crate) lacks: RefCell<Vec<Lack>>,
    /// What was answered about the window.
    pub(crate) answered: Answered,
    /// Of which window the table of deliveries of what came back is, and what it has of them; none where it is not there.
    pub(crate) matched: RefCell<Option<(Window, Vec<&'static str>)>>,
    /// The records that `why` counted last.
    pub(crate) leaves: RefCell<Option<Rc<Leaves>>>,
}

impl Session {
    /// Opens the records of `snapshot` in the hull of `windows`, of which all that is asked lies in
    /// these: parts between them are not even opened.
    ///
    /// # Errors
    /// [`crate::Error::Vanished`] when a part is gone, because a commit replaced it: a new
    /// snapshot names what came in its place. [`crate::Error::Sql`] when the engine cannot read
    /// the parts.
    pub fn open(
        snapshot: &Snapshot,
        windows: &[Window],
        config: &SessionConfig<'_>,
    ) -> Result<Session> {
        let SessionConfig { zone, limits, classes, files } = config.clone();
        let window = hull(windows);
        let Limits { threads, memory_bytes, .. } = limits;
        let (spill, spill_bytes) = match &limits.spill {
            Some((folder, bytes)) => (Some(folder.to_string_lossy().into_owned()), *bytes),
            None => (None, 0),
        };
        let config = Config::default()
            .enable_autoload_extension(false)?
            .threads(i64::try_from(threads).unwrap_or(1))?
            .max_memory(&format!("{}B", memory_bytes))?
            .with("autoinstall_known_extensions", "false")?
            .with("preserve_insertion_order", "false")?
            // Said in any case: otherwise a large sort would spill into the current folder.
            .with("temp_directory", spill.as_deref().unwrap_or(""))?;
        let connection = Connection::open_in_memory_with_flags(config)?;
        // Said before the database is there, it is shown and not kept to.
        connection.execute_batch(&format!("SET max_temp_directory_size = '{spill_bytes}B';"))?;
        let parts = |table| {
            let parts = snapshot.of(table, Window::ALL);
            parts.filter(|part| windows.iter().any(|window| part.meets(*window)))
        };
        let opened = [
            Opened::new(parts(Table::Records))?,
            Opened::new(parts(Table::Hourly))?,
            Opened::new(snapshot.of(Table::Rejects, Window::ALL))?,
        ];
        let rollup = |table| Opened::new(parts(table).filter(|part| !part.part.lacks_names()));
        let [senders, domains] = Table::TIERS.map(rollup);
        let tiers = [senders?, domains?];
        let files: Vec<String> =
            files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
        let files = files.iter().map(String::as_str);
        let names = opened.iter().chain(&tiers).flat_map(Opened::allowed).chain(files.clone());
        connection.execute_batch(&(allowance(names, files) + SETTINGS))?;
        // Not in the configuration, of which the engine shows it and does not heed it.
        connection.execute_batch(&format!("set max_temp_directory_size = '{spill_bytes}B'"))?;
        opened.iter().chain(&tiers).for_each(Opened::hold);
        let local = local_macros(near(window, snapshot.span), zone);
        let of_edges = parts_of_edges(&opened[0], window);
        let setup = |names: Naming| {
            let [records, hourly, rejects] = opened.each_ref().map(|of| Parts::all(of, names));
            let edges = Parts { of: of_edges.clone(), ..Parts::all(&opened[0], names) };
            let hours = hours_setup(&hourly, window, &local);
            (records_setup(&records, &rejects, window), edges_setup(&edges, window), hours)
        };
        let (records, edges, hours) = setup(Opened::scanned);
        connection.execute_batch(&edges)?;
        let mut variables = BTreeSet::new();
        variables::set(&connection, &mut variables, &hours)?;
        connection.execute_batch(&hours)?;
        connection.execute_batch(CONFINEMENT)?;
        let (of_records, of_edges, of_hours) = setup(Opened::paths_of);
        let setup = of_records + &of_edges + &of_hours + prelude::VIEWS;
        let hours = Hours::of(snapshot, window, zone.offsets(near(window, snapshot.span)));
        let interrupted = Arc::new(AtomicBool::new(false));
        let mut session = Session {
            connection,
            interrupted,
            setup,
            pending_views: RefCell::new(Some(records)),
            are_here: Cell::new(false),
            user_views: RefCell::default(),
            opened,
            tiers,
            tier_views: RefCell::default(),
            replaced: Vec::new(),
            replies: Cell::new(Replies::default()),
            known_replies: Cell::default(),
            variables: variables.into(),
            has_hours: hours != Hours::None,
            window: Cell::new(window),
            hours,
            zone,
            limits,
            elsewhere: None,
            written: RefCell::default(),
            beyond: Beyond::default(),
            lacks: RefCell::default(),
            answered: Answered::default(),
            matched: RefCell::default(),
            leaves: RefCell::default(),
        };
        session.classify(classes)?;
        Ok(session)
    }

    /// Lets the session see only those of its records that lie in `window`.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot read the parts.
    pub(crate) fn narrow(&self, snapshot: &Snapshot, window: Window) -> Result<()> {
        self.answered.forget();
        self.look_at(snapshot, window)
    }

    /// Lets the session see only those of its records that some of their parts have.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot read the parts.
    pub(crate) fn narrow_to(&self, parts: Vec<&SnapshotPart>) -> Result<()> {
        self.answered.forget();
        self.look_at_parts(parts, self.window.get())
    }

    fn look_at(&self, snapshot: &Snapshot, window: Window) -> Result<()> {
        self.look_at_parts(snapshot.of(Table::Records, window).collect(), window)
    }

    fn look_at_parts(&self, parts: Vec<&SnapshotPart>, window: Window) -> Result<()> {
        self.written.borrow_mut().clear();
        let parts = self.parts(0, parts);
        Ok(self.views()?.execute_batch(&records_view("stored_as_ingested", &parts, window))?)
    }

    /// Lets the session answer about `window` as if it had been opened with it, which must lie in
    /// the one that it was opened with: several questions of different reach, on one snapshot.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] when the engine cannot read the parts.
    pub fn turn_to(&mut self, snapshot: &Snapshot, window: Window) -> Result<()> {
        self.look_at(snapshot, window)?;
        self.leaves.take();
        let hourly = self.parts(1, snapshot.of(Table::Hourly, window).collect());
        let hourly = rollup_view("hourly_as_ingested", &[&hourly], window);
        self.window.set(window);
        let replies = self.replies.get();
        let edges = edges_setup(&self.parts(0, self.parts_of_edges()), window);
        let hours =
            format!("{hourly}{}", hours_view(window, replies.columns(), &self.kept_of_record()));
        let read_edges = read_edges(window, &self.replaced, replies);
        self.views()?.execute_batch(&(edges + &read_edges + &hours))?;
        self.hours = Hours::of(snapshot, window, self.zone.offsets(near(window, snapshot.span)));
        Ok(())
    }

    /// Runs `query` and hands its shape and its batches, as they come, to `consume`.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] for what the engine refuses before the first row. What goes wrong
    /// later comes in place of a batch.
    pub fn run<T>(
        &self,
        query: &Query,
        consume: impl FnOnce(Shape, &mut dyn Iterator<Item = Result<RecordBatch>>) -> T,
    ) -> Result<T> {
        let (schema, mut rows) = self.rows(query)?;
        Ok(consume(query.shape(schema), &mut rows))
    }

    /// An error of the engine with the paths that people know; when a damaged part may be to blame,
    /// the one that is.
    pub(crate) fn with_paths(&self, error: Error) -> Error {
        let Error::Sql(text) = error else { return error };
        let opened = || self.opened.iter().chain(&self.tiers);
        let text = opened().fold(text, |text, opened| opened.with_paths(text));
        // What the engine says of the statement itself it says before it reads a part.
        let of_statement = ["Binder", "Catalog", "Parser", "Permission"];
        let reads = !of_statement.iter().any(|kind| text.starts_with(&format!("{kind} Error")));
        let damaged = reads.then(|| opened().find_map(Opened::damaged)).flatten();
        damaged.unwrap_or(Error::Sql(text))
    }

    /// Starts `query`: the schema of its answer, and its rows to come.
    pub(crate) fn rows(&self, query: &Query) -> Result<(SchemaRef, Rows<'_>)> {
        let sql = self.sql_of(query);
        self.rows_asked(query, &sql, &Key::of(query, &sql, self.window.get()))
    }

    /// The same as `sql`, as [`Session::sql_of`] has it; both are the question `key`.
    pub(crate) fn rows_asked(
        &self,
        query: &Query,
        sql: &str,
        key: &Key,
    ) -> Result<(SchemaRef, Rows<'_>)> {
        self.answered.note(key, sql);
        self.begin();
        self.start(query, sql).map_err(|error| self.with_paths(error))
    }

    fn start(&self, query: &Query, sql: &str) -> Result<(SchemaRef, Rows<'_>)> {
        if !query.as_stored {
            self.read_replies(sql)?;
        }
        // What a session asks for itself is a few rows of the rollup, if that is here.
        let is_own = query.as_stored && query.asks_hours(sql) && self.opened[1].is_here();
        match &self.elsewhere {
            Some(there) if !is_own => self.rows_there(query, sql, &**there),
            _ => self.rows_here(sql, query),
        }
    }

    /// Starts `sql`, which is `query`, the same question to the rollup, or what is left of it to be asked
    /// here.
    pub(crate) fn rows_here(&self, sql: &str, query: &Query) -> Result<(SchemaRef, Rows<'_>)> {
        // What the rollup answers names no records.
        let connection = match (query.asks_hours(sql), &self.elsewhere) {
            (true, _) => self.hours(sql)?,
            (false, Some(_)) => self.views()?,
            (false, None) => self.connection()?,
        };
        let sql = self.over_matched(sql)?;
        // To prepare a `PIVOT` is to ask for its values.
        let deadline = self.deadline()?;
        let cause = |error: duckdb::Error| match &deadline {
            Some(deadline) => deadline.cause(error.into()),
            None => error.into(),
        };
        let statement = match connection.prepare(&sql).map_err(cause) {
            Err(error @ (Error::Timeout(_) | Error::Interrupted)) => Err(error),
            Err(_) if self.create_other_user_views()? => connection.prepare(&sql).map_err(cause),
            statement => statement,
        }?;
        // The engine wants exactly the parameters that the statement has.
        let mut values: HashMap<String, duckdb::types::Value> = HashMap::new();
        for index in 1..=statement.parameter_count() {
            let name = statement.parameter_name(index)?;
            let value = match query.values.get(&name) {
                Some(Value::Text(text)) => duckdb::types::Value::Text(text.clone()),
                Some(Value::Int(number)) => duckdb::types::Value::BigInt(*number),
                Some(Value::Bool(truth)) => duckdb::types::Value::Boolean(*truth),
                Some(Value::Time(time)) => {
                    duckdb::types::Value::Timestamp(TimeUnit::Microsecond, time.micros())
                }
                None => self
                    .is_known(&name, &query.judged)?
                    .map_or(duckdb::types::Value::Null, duckdb::types::Value::Boolean),
            };
            values.insert(name, value);
        }
        Rows::start(self, statement, values, deadline)
    }

    /// Creates the views that a statement of the user may name.
    pub(crate) fn create_user_views(&self, sql: &str) -> Result<()> {
        self.read_replies(sql)?;
        let views = self.user_views.borrow_mut().named_in(sql);
        self.views()?.execute_batch(&views)?;
        Ok(())
    }

    /// Creates the views that no statement of the user named so far; whether there were any.
    fn create_other_user_views(&self) -> Result<bool> {
        let views = self.user_views.borrow_mut().others();
        self.connection.execute_batch(&views)?;
        Ok(!views.is_empty())
    }

    /// The statements that the engine ran more than once, with the same values about the same window: it
    /// need not have.
    pub fn ran_again(&self) -> Vec<String> {
        self.answered.ran_again()
    }

    /// What stops a running query.
    pub fn interrupt(&self) -> Interrupt {
        let there = self.elsewhere.as_ref().map(|there| there.stop());
        Interrupt::new(self.connection.interrupt_handle(), Arc::clone(&self.interrupted), there)
    }

    /// What ends the query that begins now, when it takes too long.
    pub(crate) fn deadline(&self) -> Result<Option<Deadline>> {
        let engine = || self.connection.interrupt_handle();
        self.limits.timeout.map(|timeout| Deadline::start(timeout, engine())).transpose()
    }

    /// Runs what asks the engine by itself, within the limits of a query.
    pub(crate) fn ask<T>(&self, ask: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let deadline = self.deadline()?;
        let answer = ask(self.connection()?);
        answer.map_err(|error| match &deadline {
            Some(deadline) => self.with_paths(deadline.cause(error)),
            None => self.with_paths(error),
        })
    }

    /// Says that a query begins: what someone stopped before is over. What is given says whether someone stops it.
    pub(crate) fn begin(&self) -> &AtomicBool {
        self.interrupted.store(false, Ordering::SeqCst);
        &self.interrupted
    }

    /// Whether someone asked to stop the query that runs.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// All that `query` needs, as one script for the DuckDB shell.
    pub fn script(&self, query: &Query) -> String {
        let sql = self.sql_of(query);
        let sql = &*sql;
        if let Some(there) = &self.elsewhere {
            let script =
                self.read_replies(sql).and_then(|()| self.script_there(query, sql, &**there));
            return script.unwrap_or_else(|error| format!("-- {error}\n"));
        }
        let sql = self.spelt_out(query, sql).unwrap_or_else(|_| query.literally(sql));
        let replies = self.replies_script(&sql) + &self.tier_script(&sql);
        let script = format!("{}{replies}\n{};\n", self.setup, sql.trim_end());
        variables::script(&script) + &script
    }

    /// Leaks the engine, for a process that ends too: to give back all memory piece by piece would
    /// take longer than to start.
    pub fn leak(mut self) {
        // A cluster is told that nobody asks any more.
        self.elsewhere = None;
        std::mem::forget(self);
    }

    /// Answers from records from now on, also what the rollup could answer.
    pub fn read_records(&mut self) {
        self.answered.forget();
        self.hours = Hours::None;
    }

    /// Whether it answers in this process.
    pub fn is_here(&self) -> bool {
        self.elsewhere.is_none()
    }

    /// Whether `message_key` is the one of the parts, by which records are found here.
    pub(crate) fn has_keys(&self) -> bool {
        self.elsewhere.is_none() && self.opened[0].have_keys()
    }

    /// Whether the rollup answers `query`.
    pub fn reads_hours(&self, query: &Query) -> bool {
        query.asks_hours(&self.sql_of(query))
    }

    pub(crate) fn sql_of<'q>(&self, query: &'q Query) -> Cow<'q, str> {
        match &query.over_hours {
            Some(over) if self.can_answer(over) => self.over_tier(over),
            Some(_) => Cow::Borrowed(&*query.sql),
            None => self.without_ids(&query.sql),
        }
    }

    /// Whether the rollup can answer so.
    fn can_answer(&self, over: &OverHours) -> bool {
        let is_here = !(over.is_for_here && self.elsewhere.is_some());
        is_here && self.hours.answer(over.is_local) && self.keep_all_of(&over.kept)
    }

    /// What `hourly` keeps of a record, in SQL; nothing where an engine elsewhere answers, which reads no
    /// expressions.
    pub(crate) fn kept_of_record(&self) -> String {
        if self.elsewhere.is_some() { "null::varchar".to_owned() } else { fields::kept_of_record() }
    }

    /// Whether all parts of the rollup in the window keep these dimensions of the site, by the same expressions.
    fn keep_all_of(&self, site: &[SiteDimension]) -> bool {
        let keeps = |part: &SnapshotPart| site.iter().all(|of| part.part.site.contains(of));
        site.is_empty() || self.elsewhere.is_none() && self.hours_parts().all(keeps)
    }

    /// The view that says which values of `column` there are in the window.
    pub(crate) fn table_with(&self, column: &str) -> &'static str {
        let has = HOURLY.iter().any(|known| known.name == column);
        if has && self.answers_hours() { HOURS_VIEW } else { "stored" }
    }

    /// Whether the rollup answers what names no local time.
    pub(crate) fn answers_hours(&self) -> bool {
        self.hours.answer(false)
    }

    /// Runs statements that create views again, and remembers them as a part of the set-up.
    pub(crate) fn set_up(&mut self, sql: &str) -> Result<()> {
        self.answered.forget();
        self.views()?.execute_batch(sql)?;
        self.setup.push_str(sql);
        Ok(())
    }

    /// The engine, before a statement is known.
    pub(crate) fn engine(&self) -> &Connection {
        &self.connection
    }

    /// The engine, with what `sql` reads, which asks the rollup.
    fn hours(&self, sql: &str) -> Result<&Connection> {
        self.create_tier_view(sql)?;
        self.bring_hours(sql)?;
        self.opened[0].bring(&self.parts_of_edges())?;
        Ok(&self.connection)
    }

    /// The parts of the records of the hours that the window cuts.
    fn parts_of_edges(&self) -> Vec<&SnapshotPart> {
        parts_of_edges(&self.opened[0], self.window.get())
    }

    /// Parts of one of the tables that are opened, by the names by which the engine opens them.
    fn parts<'s>(&'s self, table: usize, of: Vec<&'s SnapshotPart>) -> Parts<'s> {
        Parts { opened: &self.opened[table], of, names: Opened::scanned }
    }

    /// The engine, with all that a statement of ours may name.
    pub(crate) fn connection(&self) -> Result<&Connection> {
        if !self.are_here.get() {
            self.opened.iter().try_for_each(Opened::bring_all)?;
            self.are_here.set(true);
        }
        self.views()
    }

    /// The engine, with all that a statement of ours may name; the parts need not be here for it to know
    /// what their columns are.
    pub(crate) fn views(&self) -> Result<&Connection> {
        if let Some(records) = self.pending_views.take() {
            self.connection.execute_batch(&records)?;
        }
        Ok(&self.connection)
    }
}

/// Of the parts of records, those of the hours that `window` cuts.
fn parts_of_edges(records: &Opened, window: Window) -> Vec<&SnapshotPart> {
    records.parts().filter(|part| is_at_edge(part, window)).collect()
}

/// The shortest window around all of them.
fn hull(windows: &[Window]) -> Window {
    let since = windows.iter().map(|window| window.since).min();
    let until = windows.iter().map(|window| window.until).max();
    match (since, until) {
        (Some(since), Some(until)) => Window { since, until },
        _ => Window::ALL,
    }
}
