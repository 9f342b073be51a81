//! Which bucket, and where in it, by `s3://bucket/prefix`. Opens nothing.

use std::fmt;

/// A bucket and the prefix of the objects that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The name of the bucket.
    pub bucket: String,
    /// What the keys begin with, without slashes around it; empty for the whole bucket.
    pub prefix: String,
}

impl Address {
    /// Reads `s3://bucket/prefix`; none of what has another scheme.
    ///
    /// # Errors
    /// A sentence of what is wrong with the rest.
    pub fn parse(text: &str) -> Option<std::result::Result<Address, String>> {
        let rest = text.strip_prefix("s3://").or_else(|| text.strip_prefix("s3a://"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_matches('/');
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if bucket.is_empty() || !bucket.chars().all(is_name) {
            return Some(Err(format!("`{bucket}` is no name of a bucket")));
        }
        let is_plain = |step: &str| !matches!(step, "" | "." | "..");
        if prefix.chars().any(|c| c.is_control() || c == '\\')
            || !prefix.is_empty() && !prefix.split('/').all(is_plain)
        {
            return Some(Err(format!("`{prefix}` is no prefix: write it like a/b")));
        }
        Some(Ok(Address { bucket: bucket.to_owned(), prefix: prefix.to_owned() }))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix.as_str() {
            "" => write!(f, "s3://{}", self.bucket),
            prefix => write!(f, "s3://{}/{prefix}", self.bucket),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_and_a_prefix() {
        for (text, shown) in [
            ("s3://logs", "s3://logs"),
            ("s3://logs/", "s3://logs"),
            ("s3a://logs/mail/eu/", "s3://logs/mail/eu"),
        ] {
            assert_eq!(Address::parse(text).expect("s3").expect(text).to_string(), shown);
        }
        assert!(Address::parse("/srv/store").is_none());
        for wrong in ["s3://", "s3:///x", "s3://a b/c", "s3://a/../b", "s3://a/b//c", "s3://a/b\nc"]
        {
            assert!(Address::parse(wrong).expect("s3").is_err(), "{wrong}");
        }
    }
}
