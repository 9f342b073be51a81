//! The crate from outside: a store of hand-made records, asked in every way.

mod answers;
mod commits;
mod filters;
mod fixture;
mod known;
mod limits;
mod measures;
mod moments;
mod pivots;
mod reports;
mod rollup;
mod series;
mod walls;
