//! The records of a few windows, read into memory once: what `why` asks of them is counted here, in place of a
//! statement for each. What is counted is what the statements of `sql/why` say, which a test compares; what these
//! cannot be asked is asked of the engine.

mod answers;
mod held;
mod kinds;
mod load;
mod marginals;
mod names;
mod places;
mod row;
mod told;

pub use held::Leaves;

#[cfg(test)]
pub(crate) mod tests;
