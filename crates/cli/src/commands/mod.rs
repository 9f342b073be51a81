//! One file per command: arguments in, [`crate::exit::Exit`] out.

pub(crate) mod ingest;
