//! A client of Spark Connect: views over named Parquet files, a statement, its answer as Arrow batches.
//!
//! Touches the network and nothing else: no file, no environment, no terminal. Knows nothing of what a
//! statement says. Made for Apache Spark 4; whoever speaks its protocol (Sail, hosted Spark) is reached as well.

mod address;
pub use address::Address;

mod error;
pub use error::{Error, Result};

mod messages;

mod wire;

mod client;
pub use client::{BatchStream, Cluster, SessionSettings, Stop};
