//! The messages of Spark Connect that are needed, as `spark/connect/*.proto` of Apache Spark 4 numbers
//! them. Fields that nobody here reads are left out: a reader of the protocol passes over them.

use std::collections::HashMap;

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct User {
    #[prost(string, tag = "1")]
    pub(crate) user_id: String,
}

/// Files of one format, by their names.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct DataSource {
    #[prost(string, optional, tag = "1")]
    pub(crate) format: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub(crate) schema: Option<String>,
    #[prost(map = "string, string", tag = "3")]
    pub(crate) options: HashMap<String, String>,
    #[prost(string, repeated, tag = "4")]
    pub(crate) paths: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Read {
    #[prost(message, optional, tag = "2")]
    pub(crate) data_source: Option<DataSource>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Sql {
    #[prost(string, tag = "1")]
    pub(crate) query: String,
}

/// Rows that are sent, as an Arrow stream.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct LocalRelation {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(crate) data: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Relation {
    #[prost(oneof = "RelationOf", tags = "2, 10, 11")]
    pub(crate) of: Option<RelationOf>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum RelationOf {
    #[prost(message, tag = "2")]
    Read(Read),
    #[prost(message, tag = "10")]
    Sql(Sql),
    #[prost(message, tag = "11")]
    Local(LocalRelation),
}

/// A view of the session, by its name.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct CreateView {
    #[prost(message, optional, tag = "1")]
    pub(crate) input: Option<Relation>,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(bool, tag = "4")]
    pub(crate) replace: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Command {
    #[prost(message, optional, tag = "3")]
    pub(crate) create_view: Option<CreateView>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Plan {
    #[prost(oneof = "PlanOf", tags = "1, 2")]
    pub(crate) of: Option<PlanOf>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum PlanOf {
    #[prost(message, tag = "1")]
    Root(Relation),
    #[prost(message, tag = "2")]
    Command(Command),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ExecuteRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user: Option<User>,
    #[prost(message, optional, tag = "3")]
    pub(crate) plan: Option<Plan>,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_type: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub(crate) operation_id: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Batch {
    #[prost(int64, tag = "1")]
    pub(crate) row_count: i64,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ExecuteResponse {
    #[prost(message, optional, tag = "2")]
    pub(crate) arrow_batch: Option<Batch>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, optional, tag = "2")]
    pub(crate) value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Set {
    #[prost(message, repeated, tag = "1")]
    pub(crate) pairs: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ConfigOperation {
    #[prost(message, optional, tag = "1")]
    pub(crate) set: Option<Set>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user: Option<User>,
    #[prost(message, optional, tag = "3")]
    pub(crate) operation: Option<ConfigOperation>,
    #[prost(string, optional, tag = "4")]
    pub(crate) client_type: Option<String>,
}

/// Asks for the version of the server.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct AnalyzeRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user: Option<User>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
    #[prost(message, optional, tag = "10")]
    pub(crate) spark_version: Option<Nothing>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AnalyzeResponse {
    #[prost(message, optional, tag = "8")]
    pub(crate) spark_version: Option<Version>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Version {
    #[prost(string, tag = "1")]
    pub(crate) version: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct InterruptRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user: Option<User>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
    /// 3: the operation named by `operation_id`.
    #[prost(int32, tag = "4")]
    pub(crate) kind: i32,
    #[prost(string, optional, tag = "6")]
    pub(crate) operation_id: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ReleaseRequest {
    #[prost(string, tag = "1")]
    pub(crate) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user: Option<User>,
    #[prost(string, optional, tag = "3")]
    pub(crate) client_type: Option<String>,
}

/// What has no field, or none that is read.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Nothing {}
