//! A bucket of object storage that speaks S3: objects are got, put, compared and swapped, listed and
//! deleted under one prefix. The only crate beside `cli` that opens connections. Knows nothing of what
//! the objects hold, and never the environment, the terminal or a file that it was not given.
//!
//! What may pass by itself is tried again, with growing waits of random length. A change that must not
//! happen twice, [`Bucket::swap`], is tried once: its caller looks what became of it.
//!
//! No error has an address with its signature, a key or a token in it.

mod address;
pub use address::Address;

mod error;
pub use error::{Error, Result};

mod login;
pub use login::{By, Lender, Login};

mod sts;

mod xml;

mod wire;

mod bucket;
pub use bucket::{Access, Bucket, Condition, Listed, Object, Swapped};

mod probe;

mod upload;

mod random;
pub use random::random;
