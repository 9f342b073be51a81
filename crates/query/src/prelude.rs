//! The views and the functions that every question may use, from the files of `sql/prelude/`.

/// The views over `records`.
pub(crate) const VIEWS: &str = include_str!("../../../sql/prelude/views.sql");

/// The functions that statements share.
pub(crate) const MACROS: &str = include_str!("../../../sql/prelude/macros.sql");

/// The views as `(name, meaning, body)`.
pub fn views() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut views = Vec::new();
    for block in VIEWS.split("\n\n") {
        let (doc, statement) = block.split_once("\ncreate or replace view ").unwrap_or_default();
        if let Some((name, body)) = statement.split_once(" as") {
            let doc = doc.rsplit('\n').next().unwrap_or_default().trim_start_matches("-- ");
            views.push((name, doc, body.trim().trim_end_matches(';')));
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_is_found() {
        assert_eq!(views().len(), 10);
        assert!(views().iter().all(|(_, doc, body)| doc.ends_with('.') && body.contains("select")));
    }
}
