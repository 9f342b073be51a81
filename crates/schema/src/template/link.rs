//! Links in a reply text. Pages of known providers stay, since they say whose rule it is and which;
//! what such a link says of one message is masked, and of other hosts all but the words of the path.

use super::kind::{self, Shape};
use super::masker::{EMAIL, HOST, ID, IP, Masker, N};
use super::names::{self, Host};

impl Masker<'_, '_> {
    /// Masks the link that begins at `from` in a word that ends at `to`, and returns its end.
    pub(super) fn link(&mut self, from: usize, to: usize) -> usize {
        let bytes = self.text.as_bytes();
        let stop = bytes[from..to].iter().position(|b| {
            matches!(b, b'<' | b'>' | b'"' | b'\'' | b'`' | b'(' | b')' | b'[' | b']' | b'|' | b',')
        });
        let mut end = stop.map_or(to, |n| from + n);
        while end > from && b".;:!?".contains(&bytes[end - 1]) {
            end -= 1;
        }
        let scheme = scheme(&bytes[from..end]).map_or(from, |n| from + n);
        self.page(scheme, end);
        // A link always has an end behind its scheme, or the scheme itself is the end.
        end.max(scheme.min(to)).max(from + 1)
    }

    /// Masks a token with a slash that is no link: `and/or`, `/var/mail/jane`, `a.org/help`.
    pub(super) fn path(&mut self, from: usize, to: usize, shape: Shape) {
        let text = &self.text[from..to];
        if let Some(host) = text.strip_prefix("//") {
            return self.page(to - host.len(), to);
        }
        if text.starts_with('/') {
            if shape.slashes > 1 {
                self.replace(from, to, ID);
            }
            return;
        }
        let first = text.split('/').next().unwrap_or_default();
        if first.contains('.') && names::host(first).is_some() {
            return self.page(from, to);
        }
        if shape.digits == 0 {
            return;
        }
        let plain = |segment: &str| {
            let shape = Shape::of(segment.as_bytes());
            shape.digits == 0 || shape.letters == 0 || kind::is_code(segment.as_bytes())
        };
        if !text.split('/').all(plain) {
            return self.replace(from, to, ID);
        }
        let mut at = from;
        for segment in text.split('/') {
            if Shape::of(segment.as_bytes()).digits > 0 {
                self.rest(at, at + segment.len());
            }
            at += segment.len() + 1;
        }
    }

    /// Masks host, path, query and fragment.
    fn page(&mut self, from: usize, end: usize) {
        let text = self.text;
        let part = |from: usize, marks: &[u8]| {
            text[from..end].bytes().position(|b| marks.contains(&b)).map_or(end, |n| from + n)
        };
        let host_end = part(from, b"/?#:");
        let host = &text[from..host_end];
        let help = names::is_help(host);
        if kind::is_ipv4(host.as_bytes()) {
            self.replace(from, host_end, IP);
        } else if !help && host.contains('.') {
            self.replace(from, host_end, HOST);
        }
        let path_end = part(host_end, b"?#");
        let mut at = host_end;
        for segment in text[host_end..path_end].split('/') {
            if !is_page(segment, help) {
                self.value(at, at + segment.len());
            }
            at += segment.len() + 1;
        }
        let query_end = part(path_end, b"#");
        let mut at = path_end;
        for pair in text[path_end..query_end].split(['&', ';']) {
            let sign = pair.find('=').map_or(0, |n| n + 1);
            let value = &pair[sign..];
            let key = pair[..sign].trim_start_matches('?');
            let keep = value.is_empty() || (help && is_setting(key, value));
            if sign > 0 && !keep {
                self.value(at + sign, at + pair.len());
            }
            at += pair.len() + 1;
        }
        let fragment = query_end + usize::from(query_end < end);
        if fragment < end && !is_page(&text[fragment..end], help) {
            self.value(fragment, end);
        }
    }

    fn value(&mut self, from: usize, to: usize) {
        let text = &self.text[from..to];
        let shape = Shape::of(text.as_bytes());
        let mask = if text.is_empty() || text.starts_with('{') {
            return;
        } else if kind::is_ipv4(text.as_bytes()) || kind::is_ipv6(text) {
            IP
        } else if text.contains('@') {
            EMAIL
        } else if shape.letters == 0 && !shape.high && shape.digits > 0 {
            N
        } else if let Some(Host::Other | Host::Blocklist(_)) =
            names::host(text.trim_end_matches(".html"))
        {
            HOST
        } else {
            ID
        };
        self.replace(from, to, mask);
    }
}

/// Where the host of a link begins, behind `://`.
pub(super) fn scheme(token: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(b':', &token[at..])? + 1;
        if token[at..].starts_with(b"//") {
            return Some(at + 2);
        }
    }
}

/// A segment that names a page: words, a short number, a code, a file of such a name; of a known
/// provider whatever is short.
fn is_page(segment: &str, help: bool) -> bool {
    let (name, ending) = segment.rsplit_once('.').unwrap_or((segment, ""));
    if !ending.is_empty() {
        #[rustfmt::skip]
        const ENDINGS: [&str; 14] = [
            "htm", "html", "shtml", "php", "asp", "aspx", "cgi", "pl", "py", "jsp", "do", "xml",
            "txt", "pdf",
        ];
        return ENDINGS.contains(&ending) && !name.contains('.') && is_page(name, help);
    }
    let bytes = name.as_bytes();
    let shape = Shape::of(bytes);
    let plain = bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_{}~:".contains(b));
    let word = shape.digits == 0 && !(bytes.len() >= 12 && kind::is_scrambled(bytes));
    let number = shape.digits <= 8 && shape.letters == 0;
    // `HT204137`, `DOC-1369`, `help_spam_16`.
    let code = kind::is_code(bytes) || bytes.starts_with(b"HT") && shape.letters == 2;
    let numbered = shape.digits <= 2 && shape.letters >= 3 * shape.digits && bytes.len() <= 24;
    plain && (word || number || code || numbered || (help && bytes.len() <= 12))
}

/// A value in the query of a known provider's page that says which page it is.
fn is_setting(key: &str, value: &str) -> bool {
    let shape = Shape::of(value.as_bytes());
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let word = shape.digits == 0 && value.len() <= 32 && !kind::is_scrambled(value.as_bytes());
    let number = shape.letters == 0 && shape.digits <= 7;
    plain
        && (word || number || (key == "c=" && value.len() <= 6) || kind::is_code(value.as_bytes()))
}
