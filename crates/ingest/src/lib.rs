//! From accounting files to staged parts.
