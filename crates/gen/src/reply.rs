//! A reply as a text with holes, and what fills them. Knows no provider.

use crate::clock::LocalTime;
use crate::rng::Rng;
use crate::text::{hex, mixed, number, random_number, upper};

/// What an attempt, or mail that comes back, ended with.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) category: u16,
    /// `dsnStatus`, ready for a line of CSV.
    pub(crate) status: Vec<u8>,
    /// Whether the reply is that of a receiver, and not our own word.
    pub(crate) from_receiver: bool,
    pieces: Vec<Piece>,
    quoted: bool,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Vec<u8>),
    Ip,
    Rcpt,
    RcptDomain,
    Orig,
    Sender,
    Mx,
    Unix,
    Iso,
    Site,
    /// Google's identifier: `d9443c01a7336-2ae4f01a2b3si1234567a85.12`.
    Google,
    /// A host of Microsoft's: `AM4PEPF00027A63.eurprd04`.
    Microsoft,
    Number(u8),
    Hex(u8),
    Upper(u8),
    Mixed(u8),
    /// A number from 1 to this one.
    UpTo(u32),
}

/// What a reply may speak of.
pub(crate) struct ReplyFacts<'a> {
    pub(crate) ip: &'a [u8],
    pub(crate) rcpt: &'a [u8],
    pub(crate) rcpt_domain: &'a [u8],
    pub(crate) orig: &'a [u8],
    pub(crate) sender: &'a [u8],
    pub(crate) mx: &'a [u8],
    /// UTC seconds.
    pub(crate) time: i64,
}

impl Ending {
    /// Reads a text with holes; says which hole it does not know.
    pub(crate) fn new(category: u16, status: &str, text: &str) -> Result<Ending, String> {
        let mut pieces = Vec::new();
        let own = text.is_empty() || text.starts_with("x-pmta;");
        let mut rest = if own { text.to_owned() } else { format!("smtp;{text}") };
        rest = rest.replace("\\n", "\r\n");
        let quoted = rest.contains([',', '"', '\r', '\n']);
        if quoted {
            rest = rest.replace('"', "\"\"");
        }
        let mut rest = rest.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (hole, after) = after.split_once('}').ok_or("a brace is not closed")?;
            pieces.push(Piece::Text(before.as_bytes().to_vec()));
            pieces.push(piece(hole).ok_or(format!("unknown hole {{{hole}}}"))?);
            rest = after;
        }
        pieces.push(Piece::Text(rest.as_bytes().to_vec()));
        let mut csv_status = Vec::new();
        crate::text::quoted(status.as_bytes(), &mut csv_status);
        Ok(Ending { category, status: csv_status, from_receiver: !own, pieces, quoted })
    }

    /// Writes `dsnDiag` as a field of CSV. No fact needs quotes, so the text alone decides.
    pub(crate) fn write(&self, facts: &ReplyFacts<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        if self.quoted {
            out.push(b'"');
        }
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Ip => out.extend_from_slice(facts.ip),
                Piece::Rcpt => out.extend_from_slice(facts.rcpt),
                Piece::RcptDomain => out.extend_from_slice(facts.rcpt_domain),
                Piece::Orig => out.extend_from_slice(facts.orig),
                Piece::Sender => out.extend_from_slice(facts.sender),
                Piece::Mx => out.extend_from_slice(facts.mx),
                Piece::Unix => number(facts.time as u64, out),
                Piece::Iso => {
                    LocalTime::utc(facts.time, b'T', out);
                    out.push(b'.');
                    random_number(3, rng, out);
                }
                Piece::Site => {
                    const SITES: [&[u8]; 4] = [b"ne1", b"bf1", b"gq1", b"ir2"];
                    out.extend_from_slice(SITES[rng.below(SITES.len())]);
                }
                Piece::Google => {
                    hex(13, rng, out);
                    out.push(b'-');
                    hex(11, rng, out);
                    out.extend_from_slice(b"si");
                    random_number(7, rng, out);
                    out.push(b'a' + rng.below(6) as u8);
                    random_number(2, rng, out);
                    out.push(b'.');
                    random_number(3, rng, out);
                }
                Piece::Microsoft => {
                    const SITES: [(&[u8], &[u8]); 4] = [
                        (b"AM4PEPF000", b".eurprd04"),
                        (b"DB1PEPF000", b".eurprd02"),
                        (b"SN1PEPF000", b".namprd05"),
                        (b"BL6PEPF000", b".namprd12"),
                    ];
                    let (host, region) = SITES[rng.below(SITES.len())];
                    out.extend_from_slice(host);
                    upper(5, rng, out);
                    out.extend_from_slice(region);
                }
                Piece::Number(count) => random_number(*count, rng, out),
                Piece::Hex(count) => hex(*count, rng, out),
                Piece::Upper(count) => upper(*count, rng, out),
                Piece::Mixed(count) => mixed(*count, rng, out),
                Piece::UpTo(most) => number(1 + rng.below(*most as usize) as u64, out),
            }
        }
        if self.quoted {
            out.push(b'"');
        }
    }
}

fn piece(hole: &str) -> Option<Piece> {
    if let Some((kind, count)) = hole.split_once(':') {
        if kind == "upto" {
            return count.parse().ok().map(Piece::UpTo);
        }
        let count = count.parse().ok()?;
        return Some(match kind {
            "num" => Piece::Number(count),
            "hex" => Piece::Hex(count),
            "up" => Piece::Upper(count),
            "mixed" => Piece::Mixed(count),
            _ => return None,
        });
    }
    Some(match hole {
        "ip" => Piece::Ip,
        "rcpt" => Piece::Rcpt,
        "rcptdomain" => Piece::RcptDomain,
        "orig" => Piece::Orig,
        "sender" => Piece::Sender,
        "mx" => Piece::Mx,
        "unix" => Piece::Unix,
        "iso" => Piece::Iso,
        "site" => Piece::Site,
        "gid" => Piece::Google,
        "msft" => Piece::Microsoft,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let facts = ReplyFacts {
            ip: b"192.0.2.1",
            rcpt: b"a@b.example",
            rcpt_domain: b"b.example",
            orig: b"v@s.example",
            sender: b"s.example",
            mx: b"mx.b.example",
            time: 1_772_380_805,
        };
        let mut out = Vec::new();
        Ending::new(0, "", text).unwrap().write(&facts, &mut Rng::new(1), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn holes_are_filled_with_the_facts() {
        assert_eq!(filled("550 <{rcpt}> at {mx}"), "smtp;550 <a@b.example> at mx.b.example");
        assert_eq!(filled("250 {unix}"), "smtp;250 1772380805");
    }

    #[test]
    fn commas_and_quotes_make_a_quoted_field() {
        assert_eq!(
            filled("550 <{rcpt}>, in \"RCPT\""),
            "\"smtp;550 <a@b.example>, in \"\"RCPT\"\"\""
        );
        assert_eq!(filled("550 a\\nb"), "\"smtp;550 a\r\nb\"");
    }

    #[test]
    fn what_we_say_ourselves_is_no_reply() {
        assert_eq!(filled("x-pmta;bounce-queue"), "x-pmta;bounce-queue");
        assert_eq!(filled(""), "");
        assert!(!Ending::new(0, "", "").unwrap().from_receiver);
    }

    #[test]
    fn an_unknown_hole_is_named() {
        assert_eq!(Ending::new(0, "", "550 {what}").unwrap_err(), "unknown hole {what}");
    }
}
