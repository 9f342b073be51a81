//! Recipients' addresses replaced before anything of them is stored: by tokens made with a key, or
//! by masks. Knows addresses and texts; reads no file and keeps nothing.
//!
//! The rule: every address in a field of text loses its local part and keeps its domain, whoever it
//! belongs to, since replies and headers name others too; and the local part of the record's own
//! recipient goes wherever it stands alone. docs/privacy.md says what that covers and what not.

use std::borrow::Cow;
use std::ops::Range;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use pmtaq_schema::address::{self, Mention};
use pmtaq_schema::columns::index_of;
use pmtaq_schema::words;
use pmtaq_schema::{COLUMNS, Kind};
use pmtaq_store::Recipients;
use sha2::Sha256;

use crate::reject::Reject;

const ORIG: usize = index_of("orig");
const RCPT: usize = index_of("rcpt");
const ORCPT: usize = index_of("orcpt");

/// What a token begins with, so that one can be told from an address.
const TOKEN: &str = "h-";

/// Characters behind that: 80 bits, so that a billion recipients do not meet.
const TOKEN_LEN: usize = 16;

/// Bytes of a key: fewer can be tried out.
pub const MIN_KEY: usize = 32;

/// Bytes of a quoted local part (RFC 5321, 4.5.3.1.1) with its quotes, also doubled ones.
const MAX_QUOTED: usize = 72;

/// How the addresses of recipients are stored.
#[derive(Clone, Debug, Default)]
pub enum Privacy {
    /// As they were logged.
    #[default]
    Plain,
    /// `h-` and sixteen characters instead of the local part, which follow from the address and the
    /// key (HMAC-SHA-256): the same address has the same token.
    Hash(Box<Hmac<Sha256>>),
    /// Its first character and three stars: `u***@example.com`.
    Mask,
}

/// Someone whose address is known, while the fields of a record are replaced.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    local: String,
    domain: String,
    /// What stands in place of the local part.
    instead: String,
}

/// Where an address stands in a text.
struct Place {
    all: Range<usize>,
    local: Range<usize>,
    /// `@`, or how it is encoded.
    sign: Range<usize>,
    domain: Range<usize>,
}

impl Privacy {
    /// Tokens made with a key.
    ///
    /// # Errors
    /// None is made with a key of fewer than [`MIN_KEY`] bytes.
    pub fn with_key(key: &[u8]) -> Option<Privacy> {
        let hmac = Hmac::new_from_slice(key).ok().filter(|_| key.len() >= MIN_KEY)?;
        Some(Privacy::Hash(Box::new(hmac)))
    }

    /// Whether anything is replaced.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self, Privacy::Plain)
    }

    /// What the store is told of it.
    pub fn recipients(&self) -> Recipients {
        match self {
            Privacy::Plain => Recipients::Plain,
            Privacy::Hash(hmac) => {
                Recipients::Hashed { key: base32(&keyed(hmac, "key", b"")[..5]) }
            }
            Privacy::Mask => Recipients::Masked,
        }
    }

    /// A text that a user looks for, as the store has it: its addresses are replaced, but for those
    /// that are replaced already.
    pub fn stored_form(&self, text: &str) -> String {
        match places(text).as_slice() {
            [place] if place.all == (0..text.len()) => {
                if is_replaced(&text[place.local.clone()]) {
                    text.to_owned()
                } else {
                    self.whole(text)
                }
            }
            _ => self.text(text, &[]).into_owned(),
        }
    }

    /// An address that is all of a field.
    fn whole(&self, field: &str) -> String {
        let Some(person) = self.person(field) else { return field.to_owned() };
        let bare = address::bare(field);
        let kind = field.find(bare).map_or("", |at| &field[..at]);
        let kind = kind.trim_end_matches(['<', ' ']);
        if person.domain.is_empty() {
            return format!("{kind}{}", person.instead);
        }
        format!("{kind}{}@{}", person.instead, person.domain)
    }

    /// Whose address a field is; none when there is nothing to hide.
    fn person(&self, field: &str) -> Option<Person> {
        let bare = address::bare(field);
        let local = bare.rsplit_once('@').map_or(bare, |(local, _)| local);
        let mut domain = String::new();
        if let Some(raw) = address::domain_of(bare.as_bytes()) {
            address::normal_domain(raw, &mut domain);
        }
        self.person_of(local.trim_start_matches('<'), domain)
    }

    fn person_of(&self, local: &str, domain: String) -> Option<Person> {
        let first = local.chars().find(|c| c.is_alphanumeric())?;
        let instead = match self {
            Privacy::Plain => return None,
            Privacy::Hash(hmac) => {
                let address = format!("{}@{domain}", local.to_lowercase());
                TOKEN.to_owned() + &base32(&keyed(hmac, "address", address.as_bytes())[..10])
            }
            Privacy::Mask => format!("{}***", first.to_lowercase()),
        };
        Some(Person { local: local.to_owned(), domain, instead })
    }

    /// The recipients of a record, by the fields that name them; nobody when nothing is replaced.
    pub(crate) fn recipients_of(&self, rcpt: &[u8], orcpt: &[u8]) -> Vec<Person> {
        let fields = [rcpt, orcpt].map(String::from_utf8_lossy);
        let mut people: Vec<Person> = fields.iter().filter_map(|f| self.person(f)).collect();
        people.dedup_by(|a, b| a.local == b.local && a.domain == b.domain);
        people
    }

    /// A field of `column` as it is stored, of a record to `people`.
    pub(crate) fn field<'t>(
        &self,
        column: usize,
        text: Cow<'t, [u8]>,
        people: &[Person],
    ) -> Cow<'t, [u8]> {
        let utf8 = String::from_utf8_lossy(&text);
        let new = match COLUMNS[column].kind {
            _ if [ORIG, RCPT, ORCPT].contains(&column) => Cow::Owned(self.whole(&utf8)),
            // A name is a dimension: users that log in and jobs keep theirs, since reports count
            // by it.
            Kind::Name => mentions_replaced(&utf8, people),
            _ => self.text(&utf8, people),
        };
        match new {
            Cow::Borrowed(_) => text,
            Cow::Owned(new) => Cow::Owned(new.into_bytes()),
        }
    }

    /// A text with every address in it replaced, and the local parts of these and of `people`.
    fn text<'t>(&self, text: &'t str, people: &[Person]) -> Cow<'t, str> {
        self.rewritten(text, people, |person| {
            let Person { instead, domain, .. } = person;
            (instead.as_str(), Some(domain.as_str()))
        })
    }

    /// What a template still says of `people` is masked as the template's own masks are.
    pub(crate) fn template(&self, template: &mut String, people: &[Person]) {
        let masked = self.rewritten(template, people, |_| ("{email}", None));
        if let Cow::Owned(masked) = masked {
            *template = masked;
        }
    }

    /// A line as it is kept or hashed. What the hash is of must not be found by trying addresses.
    pub(crate) fn line<'l>(&self, line: &'l [u8]) -> Cow<'l, [u8]> {
        if let Privacy::Plain = self {
            return Cow::Borrowed(line);
        }
        let text = String::from_utf8_lossy(line);
        Cow::Owned(self.text(&text, &[]).into_owned().into_bytes())
    }

    /// Replaces what a refused line says.
    pub(crate) fn reject(&self, reject: &mut Reject) {
        if let Privacy::Plain = self {
            return;
        }
        let raw = String::from_utf8_lossy(&reject.raw).into_owned();
        let people: Vec<Person> =
            places(&raw).iter().filter_map(|place| self.person_at(&raw, place)).collect();
        reject.raw = self.text(&raw, &people).into_owned().into_bytes();
        if let Some(value) = &mut reject.why.value {
            *value = self.text(value, &people).into_owned();
        }
    }

    /// The hash of a source's content as the store keeps it. Where there is a key it goes in: else
    /// the addresses of a file with few records could be found by trying.
    pub(crate) fn content(&self, hash: u128) -> String {
        match self {
            Privacy::Plain | Privacy::Mask => format!("{hash:032x}"),
            Privacy::Hash(hmac) => {
                let keyed = keyed(hmac, "content", &hash.to_be_bytes());
                HEXLOWER.encode(&keyed[..16])
            }
        }
    }

    fn person_at(&self, text: &str, place: &Place) -> Option<Person> {
        let mut domain = String::new();
        address::normal_domain(text[place.domain.clone()].as_bytes(), &mut domain);
        self.person_of(&text[place.local.clone()], domain)
    }

    /// The text with what `instead` says in place of people; with the domain that it names behind
    /// an address.
    fn rewritten<'t>(
        &self,
        text: &'t str,
        people: &[Person],
        instead: impl Fn(&Person) -> (&str, Option<&str>),
    ) -> Cow<'t, str> {
        let places = places(text);
        if places.is_empty() && !people.iter().any(|person| may_be_in(text, &person.local)) {
            return Cow::Borrowed(text);
        }
        let found: Vec<_> = places.iter().map(|place| self.person_at(text, place)).collect();
        let people: Vec<&Person> = people.iter().chain(found.iter().flatten()).collect();
        let people: Vec<&Person> = people.into_iter().filter(|p| is_telling(&p.local)).collect();
        let mut out = String::with_capacity(text.len() + 32);
        let mut done = 0;
        for (place, person) in places.into_iter().zip(&found) {
            let Some(person) = person else { continue };
            without_names(&text[done..place.all.start], &people, &instead, &mut out);
            let (local, domain) = instead(person);
            out.push_str(local);
            if let Some(domain) = domain {
                out.push_str(&text[place.sign]);
                out.push_str(domain);
            }
            done = place.all.end;
        }
        without_names(&text[done..], &people, &instead, &mut out);
        Cow::Owned(out)
    }
}

/// Appends a text without the local parts of `people` that stand alone in it.
fn without_names(
    text: &str,
    people: &[&Person],
    instead: impl Fn(&Person) -> (&str, Option<&str>),
    out: &mut String,
) {
    let mut word_begins = true;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let person = people.iter().find(|person| word_begins && begins_with(rest, &person.local));
        let len = match person {
            Some(person) => {
                out.push_str(instead(person).0);
                person.local.len()
            }
            None => {
                out.push(c);
                c.len_utf8()
            }
        };
        word_begins = person.is_none() && !c.is_alphanumeric();
        rest = &rest[len..];
    }
}

/// Whether a text begins with a word, in any case of letters.
fn begins_with(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        && !text[word.len()..].starts_with(char::is_alphanumeric)
}

/// Whether a text may hold a word: cheap, and true rather too often.
fn may_be_in(text: &str, word: &str) -> bool {
    let first = word.as_bytes()[0];
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let rests =
        memchr::memchr2_iter(lower, upper, text.as_bytes()).map(|at| &text.as_bytes()[at..]);
    rests.into_iter().any(|rest| {
        rest.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// Whether a local part that stands alone can tell whose it is. One that is a word of replies cannot:
/// to replace `user` in `user unknown` would itself say who it was.
fn is_telling(local: &str) -> bool {
    local.len() > 1 && !is_replaced(local) && !words::is_of_replies(&local.to_lowercase())
}

/// A name in which the addresses of `people` are replaced and nothing else.
fn mentions_replaced<'t>(text: &'t str, people: &[Person]) -> Cow<'t, str> {
    if memchr::memchr3(b'@', b'=', b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    people.iter().fold(Cow::Borrowed(text), |text, person| {
        let mention = Mention::of(&format!("{}@{}", person.local, person.domain));
        match mention.and_then(|mention| mention.replaced(&text, &person.instead)) {
            Some(new) => Cow::Owned(new),
            None => text,
        }
    })
}

/// The addresses in a text, from left to right. Of what could belong to a local part all does, so
/// that nothing of a sender by VERP is left.
fn places(text: &str) -> Vec<Place> {
    let bytes = text.as_bytes();
    let mut places: Vec<Place> = Vec::new();
    for at in memchr::memchr3_iter(b'@', b'%', b'=', bytes) {
        // `%40` in a link, `=40` in a header (RFC 2047).
        let len = if bytes[at] == b'@' { 1 } else { 3 };
        if len == 3 && bytes.get(at + 1..at + 3) != Some(b"40") {
            continue;
        }
        let sign = at..at + len;
        let rest = &text[sign.end..];
        let is_domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_literal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':');
        let literal = rest.strip_prefix('[').map(|inner| inner.trim_start_matches(is_literal));
        let domain = match literal.filter(|behind| behind.starts_with(']')) {
            Some(behind) => rest.len() - behind.len() + 1,
            None => {
                let behind = rest.trim_start_matches(is_domain);
                rest[..rest.len() - behind.len()].trim_end_matches(['.', '-', '_']).len()
            }
        };
        // Digits that happen to follow such a sign are no domain.
        let mut labels = rest[..domain].split('.').skip(1);
        if len == 3 && !labels.any(|label| label.starts_with(char::is_alphabetic)) {
            continue;
        }
        let from = places.last().map_or(0, |last| last.all.end);
        let mut local = local_before(text, from, at);
        // Of `x@jane@example.com` nobody knows how it was meant: all of it is one.
        if local.start == from
            && let Some(last) = places.pop()
        {
            local.start = last.local.start;
        }
        if local.is_empty() {
            continue;
        }
        let domain = sign.end..sign.end + domain;
        places.push(Place { all: local.start..domain.end, local, sign, domain });
    }
    places
}

/// The local part that ends before `at` and begins at `from` or later; it may be empty.
fn local_before(text: &str, from: usize, at: usize) -> Range<usize> {
    let before = &text[from..at];
    let unquoted = before.trim_end_matches('"');
    let open = unquoted.rfind('"').filter(|open| before.len() - open <= MAX_QUOTED);
    let until = match open.filter(|_| unquoted.len() < before.len()) {
        // Within a line of CSV the quotes are doubled.
        Some(open) => before[..=open].trim_end_matches('"').len(),
        None => before.len(),
    };
    let bytes = before.as_bytes();
    let belongs = |i: usize| match bytes[i] {
        // Of `'o'brien@example.com'` the second quote.
        b'\'' => i > 0 && bytes[i - 1].is_ascii_alphanumeric(),
        0..=b' ' | 0x7f => false,
        byte => !b"<>()[]{},;:\"`|".contains(&byte),
    };
    let start = (0..until).rev().take_while(|&i| belongs(i)).last().unwrap_or(until);
    from + start..at
}

/// Whether a local part is one that was replaced before.
fn is_replaced(local: &str) -> bool {
    local.strip_suffix("***").is_some_and(|first| first.chars().count() == 1)
        || local.strip_prefix(TOKEN).is_some_and(|token| {
            token.len() == TOKEN_LEN
                && token.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
        })
}

/// What follows from a key and a text. `purpose` keeps apart what is made for different ends.
fn keyed(hmac: &Hmac<Sha256>, purpose: &str, text: &[u8]) -> [u8; 32] {
    let mut hmac = hmac.clone();
    hmac.update(purpose.as_bytes());
    hmac.update(b"\0");
    hmac.update(text);
    hmac.finalize().into_bytes().into()
}

/// RFC 4648, in lower case: an address is compared so.
fn base32(bytes: &[u8]) -> String {
    let mut text = BASE32_NOPAD.encode(bytes);
    text.make_ascii_lowercase();
    text
}

#[cfg(test)]
mod tests;
