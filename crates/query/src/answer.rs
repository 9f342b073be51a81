//! A whole answer: its columns by name, in types of the language. Asks nothing and formats nothing.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options, concat_batches};
use arrow::datatypes::{
    DataType, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampMicrosecondType,
};
use pmtaq_schema::Timestamp;

use crate::answered::Key;
use crate::error::{Error, Result};
use crate::query::{Meaning, Query, Shape};
use crate::session::Session;

/// The rows of an answer, all of them in memory: for answers of which the size is known to be
/// small. [`Session::run`] hands over the others as they come.
///
/// ```
/// use pmtaq_query::{Limits, Session, SessionConfig};
/// use pmtaq_schema::bounce::BounceClasses;
/// use pmtaq_schema::{Window, Zone};
/// use pmtaq_store::Snapshot;
///
/// let snapshot = Snapshot { generation: 0, parts: vec![], span: None, store_rows: 0 };
/// let (limits, classes) = (Limits::new(1, 1 << 28), &BounceClasses::default());
/// let config = SessionConfig { zone: Zone::UTC, limits, classes, files: &[] };
/// let session = Session::open(&snapshot, &[Window::ALL], &config)?;
/// let query = session.adhoc("select 'gmail' as provider, sent() as sent, p95() from records")?;
/// let answer = session.answer(&query)?;
/// assert_eq!(answer.texts("provider")?, [Some("gmail".to_owned())]);
/// assert_eq!(answer.i64s("sent")?, [Some(0)]);
/// assert_eq!(answer.f64s("p95")?, [None]);
/// assert!(answer.f64s("p59").is_err());
/// # Ok::<(), pmtaq_query::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Answer {
    shape: Shape,
    rows: RecordBatch,
}

/// The values of a column, none where there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Names and words.
    Texts(Vec<Option<String>>),
    /// Whole numbers.
    Ints(Vec<Option<i64>>),
    /// Other numbers.
    Floats(Vec<Option<f64>>),
    /// UTC moments.
    Times(Vec<Option<Timestamp>>),
}

impl Session {
    /// Runs `query`, unless it was answered already, and keeps its whole answer.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn answer(&self, query: &Query) -> Result<Answer> {
        let sql = self.sql_of(query);
        let key = Key::of(query, &sql, self.window.get());
        // What the user wrote may be answered otherwise each time.
        if let Some(rows) = self.answered.find(&key).filter(|_| !query.is_of_user) {
            return Ok(Answer { shape: query.shape(rows.schema()), rows });
        }
        let (schema, rows) = self.rows_asked(query, &sql, &key)?;
        let answer = Answer::new(query.shape(schema), &rows.collect::<Result<Vec<_>>>()?);
        if !query.is_of_user {
            self.answered.keep(key, &answer.rows);
        }
        Ok(answer)
    }
}

impl Answer {
    /// The answer in `batches`, which have the schema of `shape`.
    ///
    /// # Panics
    /// When they have another one.
    pub fn new(shape: Shape, batches: &[RecordBatch]) -> Answer {
        let rows = concat_batches(&shape.schema, batches).expect("batches of one answer");
        Answer { shape, rows }
    }

    /// An answer of these columns, each with its name and its meaning.
    ///
    /// # Panics
    /// When one is longer than another.
    pub fn of(columns: impl IntoIterator<Item = (String, Meaning, Values)>) -> Answer {
        let (mut fields, mut arrays, mut units) = (Vec::new(), Vec::new(), Vec::new());
        for (name, meaning, values) in columns {
            let array = values.array();
            fields.push(Field::new(name, array.data_type().clone(), true));
            arrays.push(array);
            units.push(Some(meaning));
        }
        let schema = Arc::new(Schema::new(fields));
        let rows = RecordBatch::try_new(schema.clone(), arrays).expect("columns of one length");
        Answer { shape: Shape { schema, units }, rows }
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of its columns.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Its rows, for those who write them out.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// What is known of its columns, and its rows.
    pub fn into_parts(self) -> (Shape, RecordBatch) {
        (self.shape, self.rows)
    }

    /// The names of its columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.shape.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// Some of its rows, and of its columns those of `names` that it has.
    ///
    /// # Panics
    /// When it has not so many rows.
    pub fn part(&self, rows: Range<usize>, names: &[&str]) -> Answer {
        let schema = &self.shape.schema;
        let places = names.iter().filter_map(|name| schema.index_of(name).ok());
        let places: Vec<usize> = places.collect();
        let rows = self.rows.slice(rows.start, rows.len());
        let rows = rows.project(&places).expect("places of this answer");
        let units = places.iter().map(|&place| self.shape.units[place].clone()).collect();
        Answer { shape: Shape { schema: rows.schema(), units }, rows }
    }

    /// A column of texts.
    ///
    /// # Errors
    /// [`Error::Column`] when there is none of this name.
    pub fn texts(&self, name: &str) -> Result<Vec<Option<String>>> {
        let texts = self.column(name, &DataType::Utf8, "texts")?;
        Ok(texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
    }

    /// A column of whole numbers; a time is its microseconds since 1970.
    ///
    /// # Errors
    /// [`Error::Column`] when there is none of this name, or of another kind.
    pub fn i64s(&self, name: &str) -> Result<Vec<Option<i64>>> {
        let numbers = self.column(name, &DataType::Int64, "whole numbers")?;
        Ok(numbers.as_primitive::<Int64Type>().iter().collect())
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// [`Error::Column`] when there is none of this name, or of another kind.
    pub fn f64s(&self, name: &str) -> Result<Vec<Option<f64>>> {
        let numbers = self.column(name, &DataType::Float64, "numbers")?;
        Ok(numbers.as_primitive::<Float64Type>().iter().collect())
    }

    /// A column of times.
    ///
    /// # Errors
    /// [`Error::Column`] when there is none of this name, or of another kind.
    pub fn times(&self, name: &str) -> Result<Vec<Option<Timestamp>>> {
        let times =
            self.column(name, &DataType::Timestamp(TimeUnit::Microsecond, None), "times")?;
        let times = times.as_primitive::<TimestampMicrosecondType>().iter();
        Ok(times.map(|micros| Some(Timestamp(micros?.div_euclid(1_000_000)))).collect())
    }

    fn column(&self, name: &str, to: &DataType, expected: &'static str) -> Result<ArrayRef> {
        // What is of another kind is an error, and not null.
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let column = self.rows.column_by_name(name);
        let column = column.and_then(|column| cast_with_options(column, to, &options).ok());
        column.ok_or_else(|| Error::Column { name: name.to_owned(), expected })
    }
}

impl Values {
    fn array(self) -> ArrayRef {
        match self {
            Values::Texts(texts) => Arc::new(StringArray::from(texts)),
            Values::Ints(numbers) => Arc::new(Int64Array::from(numbers)),
            Values::Floats(numbers) => Arc::new(Float64Array::from(numbers)),
            Values::Times(times) => {
                let micros = times.into_iter().map(|time| time.map(Timestamp::micros));
                Arc::new(micros.collect::<TimestampMicrosecondArray>())
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
    use crate::query::Value;
    use crate::session::{Limits, SessionConfig};

    #[test]
    fn a_question_is_asked_once_about_each_window() {
        let snapshot = Snapshot { generation: 0, parts: vec![], span: None, store_rows: 0 };
        let (limits, classes) = (Limits::new(1, 1 << 28), &BounceClasses::default());
        let config = SessionConfig { zone: Zone::UTC, limits, classes, files: &[] };
        let mut session = Session::open(&snapshot, &[Window::ALL], &config).expect("a session");
        let own = Query { sql: "select random() as n, $a as a".to_owned(), ..Query::default() };
        let of = |session: &Session, query: &Query| {
            session.answer(query).expect("an answer").f64s("n").expect("numbers")
        };
        let first = of(&session, &own);
        assert_eq!(of(&session, &own), first);
        let mut other = own.clone();
        other.values.insert("a".to_owned(), Value::Int(1));
        assert_ne!(of(&session, &other), first, "another value is another question");
        let of_user = Query { is_of_user: true, ..own.clone() };
        assert_ne!(of(&session, &of_user), of(&session, &of_user));
        let day = Window { since: Timestamp(0), until: Timestamp(86_400) };
        session.turn_to(&snapshot, day).expect("the window");
        assert_ne!(of(&session, &own), first, "another window");
        session.turn_to(&snapshot, Window::ALL).expect("the window");
        assert_eq!(of(&session, &own), first, "what was answered about this one");
        session.read_records();
        assert_ne!(of(&session, &own), first, "from other rows it may be another answer");
    }
}
