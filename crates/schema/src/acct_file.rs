//! The `<acct-file>` blocks of a PMTA configuration: what is asked to be logged, and where to
//! (`PowerMTA` User's Guide, 3.3.11). Reads text; opens no file, so includes are for the caller.

use crate::record::{Record, Records};

/// One `<acct-file>` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcctFile {
    /// The file that it writes, as the configuration names it.
    pub path: String,
    /// Line of the configuration file where the block begins, from 1.
    pub line: usize,
    /// The record types it asks for; without `records`, PMTA writes `d` and `b`.
    pub records: Records,
    /// What its `record-fields` lines say.
    pub fields: Vec<RecordFields>,
    /// The headers that its `map-header-to-field` lines put in the place of fields, each with the types whose
    /// records get it.
    pub mapped: Vec<(Records, String)>,
    /// Where finished files are moved.
    pub move_to: Option<String>,
}

/// One `record-fields` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordFields {
    /// The record types that it is about.
    pub records: Records,
    /// Whether PMTA's default fields are among them: `*`.
    pub defaults: bool,
    /// The fields it names.
    pub named: Vec<String>,
    /// The fields it takes away from the default ones.
    pub without: Vec<String>,
}

/// What a configuration file says of accounting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcctFiles {
    /// The blocks, in order.
    pub blocks: Vec<AcctFile>,
    /// The files to read in addition, each with the line that asks for it.
    pub includes: Vec<(usize, String)>,
    /// Lines that cannot be understood, each with what is wrong.
    pub bad: Vec<(usize, String)>,
}

impl AcctFiles {
    /// Reads a configuration file. Directives of no interest are passed over.
    pub fn parse(text: &str) -> AcctFiles {
        let mut found = AcctFiles::default();
        let mut open: Option<AcctFile> = None;
        for (number, line) in text.lines().enumerate() {
            let (number, line) = (number + 1, line.trim());
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let (word, rest) = (word.to_ascii_lowercase(), without_comment(rest.trim()));
            match (word.as_str(), &mut open) {
                ("<acct-file", None) => {
                    let path = unquoted(rest.trim_end_matches('>').trim()).to_owned();
                    open = Some(AcctFile {
                        path,
                        line: number,
                        records: Records::of(&[Record::Delivery, Record::Bounce]),
                        fields: Vec::new(),
                        mapped: Vec::new(),
                        move_to: None,
                    });
                }
                ("<acct-file", Some(block)) => {
                    let what =
                        format!("the block that begins at line {} is not closed", block.line);
                    found.bad.push((number, what));
                }
                ("</acct-file>", _) => found.blocks.extend(open.take()),
                ("include", _) => found.includes.push((number, unquoted(rest).to_owned())),
                ("records", Some(block)) => {
                    let (known, unknown): (Vec<_>, Vec<_>) =
                        words(rest).partition(|word| types(word).is_ok());
                    block.records = types(&known.join(",")).unwrap_or(block.records);
                    let bad = unknown.iter().map(|name| format!("`{name}` is not a record type"));
                    found.bad.extend(bad.map(|what| (number, what)));
                }
                ("record-fields", Some(block)) => match RecordFields::parse(rest) {
                    Ok(fields) => block.fields.push(fields),
                    Err(what) => found.bad.push((number, what)),
                },
                ("map-header-to-field", Some(block)) => {
                    let mut words = words(rest);
                    if let (Some(Ok(records)), Some(header)) =
                        (words.next().map(types), words.next())
                    {
                        block.mapped.push((records, header.to_owned()));
                    }
                }
                ("move-to", Some(block)) => block.move_to = Some(unquoted(rest).to_owned()),
                _ => {}
            }
        }
        if let Some(block) = open {
            found.bad.push((block.line, "the <acct-file> block is not closed".to_owned()));
            found.blocks.push(block);
        }
        found
    }
}

impl AcctFile {
    /// Whether a program gets the records, and no file holds them: `|/usr/bin/handler`.
    pub fn is_pipe(&self) -> bool {
        self.path.starts_with('|')
    }

    /// Whether it writes `field` in records of the type: `None` where that depends on what PMTA
    /// writes by default.
    pub fn writes(&self, record: Record, field: &str) -> Option<bool> {
        if !self.records.contains(record) {
            return Some(false);
        }
        let among = |list: &[String]| list.iter().any(|name| name.eq_ignore_ascii_case(field));
        let line = self.line_of(record)?;
        if among(&line.named) {
            Some(true)
        } else if !line.defaults || among(&line.without) {
            Some(false)
        } else {
            None
        }
    }

    /// The fields that it names for a type and PMTA does not write by default, such as headers.
    pub fn beyond_defaults(&self, record: Record) -> impl Iterator<Item = &str> {
        let named = self.line_of(record).into_iter().flat_map(|line| &line.named);
        named.map(String::as_str).filter(|name| !is_default(name))
    }

    /// Whether its records of a type have all that those of `other` have, as far as the configuration says.
    pub fn has_fields_of(&self, other: &AcctFile, record: Record) -> bool {
        let has_headers =
            other.beyond_defaults(record).all(|name| self.writes(record, name) == Some(true));
        let is_mapped = |header: &str| {
            let mut mapped = self.mapped.iter().filter(|(records, _)| records.contains(record));
            mapped.any(|(_, own)| own.eq_ignore_ascii_case(header))
        };
        let mut mapped = other.mapped.iter().filter(|(records, _)| records.contains(record));
        let is_there = |of: &AcctFile, name: &str| of.writes(record, name) != Some(false);
        has_headers
            && mapped.all(|(_, header)| is_mapped(header))
            && DEFAULTS.iter().all(|name| is_there(self, name) || !is_there(other, name))
    }

    /// The last word on a type holds.
    fn line_of(&self, record: Record) -> Option<&RecordFields> {
        self.fields.iter().rev().find(|line| line.records.contains(record))
    }
}

/// What PMTA writes of records that were delivered or not where nothing says what to write (User's Guide, 3.3.11):
/// the header of such a file.
const DEFAULTS: [&str; 23] = [
    "type",
    "timeLogged",
    "timeQueued",
    "orig",
    "rcpt",
    "orcpt",
    "dsnAction",
    "dsnStatus",
    "dsnDiag",
    "dsnMta",
    "bounceCat",
    "srcType",
    "srcMta",
    "dlvType",
    "dlvSourceIp",
    "dlvDestinationIp",
    "dlvEsmtpAvailable",
    "dlvSize",
    "vmta",
    "jobId",
    "envId",
    "queue",
    "vmtaPool",
];

fn is_default(name: &str) -> bool {
    DEFAULTS.iter().any(|default| default.eq_ignore_ascii_case(name))
}

impl RecordFields {
    fn parse(text: &str) -> Result<RecordFields, String> {
        let wrong = || format!("`record-fields {text}` is not a record type and a list of fields");
        let (first, list) = text.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let records = types(first).map_err(|name| format!("`{name}` is not a record type"))?;
        let mut fields =
            RecordFields { records, defaults: false, named: Vec::new(), without: Vec::new() };
        for word in words(list) {
            match word.strip_prefix(['!', '-']) {
                Some(name) => fields.without.push(name.to_owned()),
                None if word == "*" => fields.defaults = true,
                None => fields.named.push(word.to_owned()),
            }
        }
        Ok(fields)
    }
}

/// A list of record types, by commas or by spaces.
fn types(list: &str) -> Result<Records, String> {
    if words(list).any(|word| word.eq_ignore_ascii_case("all")) {
        return Ok(Records::ALL);
    }
    Records::parse(&words(list).collect::<Vec<_>>().join(","))
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t']).map(|word| unquoted(word.trim())).filter(|word| !word.is_empty())
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// The value of a directive: a `#` after white space begins a comment.
fn without_comment(text: &str) -> &str {
    let mut before = ' ';
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        quoted ^= c == '"';
        if c == '#' && before.is_whitespace() && !quoted {
            return text[..at].trim_end();
        }
        before = c;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use Record::{Bounce, Deferral, Delivery};

    #[test]
    fn a_block_says_what_is_logged() {
        let found = AcctFiles::parse(
            "host-name mta1 # ours\r\ninclude /etc/pmta/more\n#<acct-file x>\n\
             <acct-file \"/var/log/pmta/acct.csv\">\n  records d, b ,t # no r\n\
             RECORD-FIELDS d *,jobId, envId !dlvSize\n  record-fields b timeLogged,rcpt\n\
             move-to /srv/acct\n</acct-file>\n<domain *>\n  records x\n</domain>\n<acct-file a>\n</acct-file>\n",
        );
        assert_eq!(found.bad, []);
        assert_eq!(found.includes, [(2, "/etc/pmta/more".to_owned())]);
        let [block, plain] = &found.blocks[..] else { panic!("{found:?}") };
        assert_eq!((block.path.as_str(), block.line), ("/var/log/pmta/acct.csv", 4));
        assert_eq!(block.records.to_string(), "d, b, t");
        assert_eq!(block.move_to.as_deref(), Some("/srv/acct"));
        for (record, field, expected) in [
            (Delivery, "jobID", Some(true)),
            (Delivery, "dlvSize", Some(false)),
            (Delivery, "rcpt", None),
            (Bounce, "rcpt", Some(true)),
            (Bounce, "orig", Some(false)),
            (Deferral, "orig", None),
            (Record::Reception, "orig", Some(false)),
        ] {
            assert_eq!(block.writes(record, field), expected, "{record} {field}");
        }
        assert_eq!(plain.records.to_string(), "d, b");
        let found = AcctFiles::parse("<acct-file |/bin/x y>\nrecords all\n</acct-file>");
        assert!(found.blocks[0].is_pipe() && found.bad.is_empty());
        assert_eq!(found.blocks[0].records, Records::ALL);
        let found = AcctFiles::parse("<acct-file a>\nrecords t,x,b\n</acct-file>");
        assert_eq!(found.blocks[0].records.to_string(), "b, t");
        assert_eq!(found.bad, [(2, "`x` is not a record type".to_owned())]);
    }

    #[test]
    fn a_block_has_what_another_has_or_lacks_a_header_of_it() {
        let found = AcctFiles::parse(
            "<acct-file a>\nrecords f\nmap-header-to-field f header_X-To rcpt # theirs\n\
             record-fields f *, header_Subject, rcpt\n</acct-file>\n<acct-file b>\nrecords all\n</acct-file>\n\
             <acct-file c>\nrecords d\nrecord-fields d timeLogged,orig\n</acct-file>\n",
        );
        let [a, b, c] = &found.blocks[..] else { panic!("{found:?}") };
        assert_eq!(a.beyond_defaults(Record::Feedback).collect::<Vec<_>>(), ["header_Subject"]);
        assert_eq!(a.mapped, [(Records::of(&[Record::Feedback]), "header_X-To".to_owned())]);
        assert!(a.has_fields_of(b, Record::Feedback) && !b.has_fields_of(a, Record::Feedback));
        assert!(b.has_fields_of(c, Delivery) && !c.has_fields_of(b, Delivery));
    }

    #[test]
    fn what_cannot_be_understood_is_named_by_its_line() {
        let found =
            AcctFiles::parse("<acct-file a>\nrecords d,x\nrecord-fields d\n<acct-file b>\n");
        let lines: Vec<usize> = found.bad.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 1], "{found:?}");
    }
}
