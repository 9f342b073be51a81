//! What little is read of XML without a parser: errors, which may be anything.

/// What the first tag of a name holds.
pub(crate) fn tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let rest = text.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
