//! Realistic accounting files with planted incidents, by seed.
