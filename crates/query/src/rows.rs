//! The rows of an answer as the engine makes them, and what stops it. Knows nothing of what is
//! asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use duckdb::types::Value;
use duckdb::{InterruptHandle, Statement};

use crate::deadline::Deadline;
use crate::elsewhere::Batches;
use crate::error::{Error, Result};
use crate::session::Session;

/// How often a statement runs again to tell why it failed.
const TRIES: usize = 5;

/// Stops a running query from another thread.
#[derive(Clone)]
pub struct Interrupt {
    handle: Arc<InterruptHandle>,
    asked: Arc<AtomicBool>,
    there: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Interrupt {
    /// Of the engine, and of the one elsewhere that answers in its place, if there is one.
    pub(crate) fn new(
        handle: Arc<InterruptHandle>,
        asked: Arc<AtomicBool>,
        there: Option<Arc<dyn Fn() + Send + Sync>>,
    ) -> Interrupt {
        Interrupt { handle, asked, there }
    }

    /// Lets the running query end with [`crate::Error::Interrupted`].
    pub fn interrupt(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.handle.interrupt();
        if let Some(stop) = &self.there {
            stop();
        }
    }
}

/// The rows of an answer, batch by batch.
pub(crate) enum Rows<'s> {
    /// As the engine makes them.
    Here(Box<Here<'s>>),
    /// As they come from elsewhere.
    There(Batches<'s>),
}

/// The rows of the engine.
pub(crate) struct Here<'s> {
    session: &'s Session,
    statement: Statement<'s>,
    values: HashMap<String, Value>,
    deadline: Option<Deadline>,
}

impl<'s> Rows<'s> {
    /// What comes from elsewhere.
    pub(crate) fn there(rows: impl Iterator<Item = Result<RecordBatch>> + 's) -> Rows<'s> {
        Rows::There(Box::new(rows))
    }

    /// Starts `statement` with its values.
    pub(crate) fn start(
        session: &'s Session,
        statement: Statement<'s>,
        values: HashMap<String, Value>,
        deadline: Option<Deadline>,
    ) -> Result<(SchemaRef, Rows<'s>)> {
        let mut rows = Here { session, statement, values, deadline };
        match rows.begin() {
            Ok(schema) => Ok((schema, Rows::Here(Box::new(rows)))),
            Err(error) => Err(rows.cause(error)),
        }
    }
}

impl Here<'_> {
    fn begin(&mut self) -> Result<SchemaRef> {
        Ok(if self.values.is_empty() {
            self.statement.stream_arrow([])?.get_schema()
        } else {
            self.statement.stream_arrow(&self.values)?.get_schema()
        })
    }

    fn step(&self) -> Result<Option<RecordBatch>> {
        // Stepped by hand, since the iterator of the crate panics on an error in mid-stream.
        Ok(self.statement.step()?.map(|batch| RecordBatch::from(&batch)))
    }

    /// What `error` comes from. Where one thread of the engine meets an error it interrupts the
    /// others, and now and then the interrupt is all that is told: then the statement runs again,
    /// until it says why.
    fn cause(&mut self, mut error: Error) -> Error {
        for _ in 0..TRIES {
            if let Some(deadline) = &self.deadline {
                error = deadline.cause(error);
            }
            if !matches!(error, Error::Interrupted) || self.session.is_interrupted() {
                return error;
            }
            match self.run_through() {
                Err(again) => error = again,
                Ok(()) => break,
            }
        }
        match error {
            Error::Interrupted if !self.session.is_interrupted() => {
                Error::Sql("the engine stopped in mid-query and does not say why: ask again".into())
            }
            error => error,
        }
    }

    fn run_through(&mut self) -> Result<()> {
        self.begin()?;
        while self.step()?.is_some() {}
        Ok(())
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let here = match self {
            Rows::Here(here) => here,
            Rows::There(rows) => return rows.next(),
        };
        match here.step() {
            Ok(batch) => batch.map(Ok),
            Err(error) => {
                let error = here.cause(error);
                Some(Err(here.session.with_paths(error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pmtaq_schema::bounce::BounceClasses;
    use pmtaq_schema::{Window, Zone};
    use pmtaq_store::Snapshot;

    use super::*;
    use crate::query::Query;
    use crate::session::{Limits, SessionConfig};

    /// The error that ends `sql`, when after its first batch `stop` is called.
    fn error_of(sql: &str, stop: impl FnOnce(&Session)) -> Error {
        let snapshot = Snapshot { generation: 0, parts: vec![], span: None, store_rows: 0 };
        let limits = Limits::new(2, 1 << 30);
        let classes = &BounceClasses::default();
        let config = SessionConfig { zone: Zone::UTC, limits, classes, files: &[] };
        let session = Session::open(&snapshot, &[Window::ALL], &config).expect("a session");
        let query = Query { sql: sql.to_owned(), ..Query::default() };
        let (_, mut rows) = session.rows(&query).expect("rows");
        rows.next().expect("a batch").expect("no error yet");
        stop(&session);
        rows.find_map(Result::err).expect("an error")
    }

    const LATE: &str =
        "select case when range = 900000 then error('late') else range end from range(1000000)";

    #[test]
    fn what_the_engine_interrupts_by_itself_is_told_as_what_it_is() {
        let by_itself = |session: &Session| {
            session.connection().expect("an engine").interrupt_handle().interrupt()
        };
        let error = error_of(LATE, by_itself);
        assert!(matches!(&error, Error::Sql(text) if text.contains("late")), "{error}");
        let error = error_of("select range from range(100000000)", by_itself);
        assert!(matches!(&error, Error::Sql(text) if text.contains("ask again")), "{error}");
    }

    #[test]
    fn what_the_user_interrupts_is_interrupted() {
        let error = error_of(LATE, |session| session.interrupt().interrupt());
        assert!(matches!(error, Error::Interrupted), "{error}");
    }
}
