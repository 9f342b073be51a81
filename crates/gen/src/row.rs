//! One record as a line of CSV, byte by byte. Knows spelling, not meaning.

use crate::message::{BAD_JOB, Event, Message};
use crate::rng::Rng;
use crate::world::{ENDINGS, PROVIDERS, Provider, SENDERS, VMTAS, WORDS};

/// The header: the union of the fields of all record types.
pub(crate) const HEADER: &str = "type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,\
dsnDiag,dsnMta,bounceCat,srcType,srcMta,dlvType,dlvSourceIp,dlvDestinationIp,dlvEsmtpAvailable,\
dlvSize,vmta,jobId,envId,queue,vmtaPool,header_X-Campaign,userString,dlvTlsProtocol,dlvTlsCipher,\
rcvSourceIp,rcvDestinationIp,rcvSmtpUser,dsnReportingMta,format,feedbackType,userAgent,\
reportingMTA,repSourceIp";

/// The domain of the recipient as it is written, without the occasional capital.
pub(crate) fn rcpt_domain(message: &Message, out: &mut Vec<u8>) {
    let provider = &PROVIDERS[message.provider];
    if let Some((_, name)) = provider.domains.get(message.domain) {
        return out.extend_from_slice(name.as_bytes());
    }
    let n = message.domain;
    if n == 7 {
        return out.extend_from_slice("b\u{fc}cher.example".as_bytes());
    }
    let words = WORDS.len();
    for part in [WORDS[n % words], "-", WORDS[n / words % words]] {
        out.extend_from_slice(part.as_bytes());
    }
    number(n as u64 / 400, out);
    out.push(b'.');
    out.extend_from_slice(ENDINGS[n % ENDINGS.len()].as_bytes());
}

/// What `vmta` says of a record: in one of reception sometimes the pool.
pub(crate) fn vmta(event: &Event) -> &'static str {
    let vmta = &VMTAS[event.message.vmta];
    match event.rec {
        "r" if event.message.vmta >= 7 => vmta.pool,
        "r" | "d" | "b" | "t" | "tq" => vmta.name,
        _ => "",
    }
}

/// What varies between files.
pub(crate) struct Writer {
    pub(crate) offset_min: i64,
    pub(crate) host: String,
    diag: Vec<u8>,
    domain: Vec<u8>,
    rcpt: Vec<u8>,
    mx: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(offset_min: i32, host: String) -> Writer {
        let (diag, domain, rcpt, mx) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Writer { offset_min: offset_min.into(), host, diag, domain, rcpt, mx }
    }

    /// Appends the line of `event`.
    pub(crate) fn line(&mut self, event: &Event, rng: &mut Rng, out: &mut Vec<u8>) {
        let Event { rec, time, message, answer } = *event;
        let provider = &PROVIDERS[message.provider];
        let identity = &VMTAS[message.vmta];
        let (is_attempt, is_tq) = (matches!(rec, "d" | "b" | "t"), rec == "tq");
        let reached = is_attempt && answer.is_none_or(|a| a.1.starts_with("smtp"));
        self.addresses(&message, rng);

        out.extend_from_slice(rec.as_bytes());
        out.push(b',');
        self.time(time, out);
        out.push(b',');
        if is_attempt {
            self.time(message.queued, out);
        }
        out.push(b',');
        if !is_tq {
            self.orig(&message, out);
        }
        out.push(b',');
        if !is_tq {
            out.extend_from_slice(&self.rcpt);
        }
        out.push(b',');
        if is_attempt {
            out.extend_from_slice(b"rfc822;");
            out.extend_from_slice(&self.rcpt);
        }
        let action = match rec {
            "d" => "relayed",
            "b" | "rb" => "failed",
            "t" | "rs" => "delayed",
            _ => "",
        };
        field(action, out);
        let status = match (rec, answer) {
            ("d", _) => "2.0.0 (success)",
            (_, Some((status, ..))) => status,
            _ => "",
        };
        quoted(status.as_bytes(), out);
        self.diag(event, provider, rng);
        quoted(&self.diag, out);
        out.push(b',');
        if reached || matches!(rec, "rb" | "rs") {
            out.extend_from_slice(&self.mx);
            out.extend_from_slice(b" (");
            destination(provider, &message, out);
            out.push(b')');
        }
        field(answer.map_or("", |a| if is_tq || rec == "rs" { "" } else { a.2 }), out);
        let source = if message.vmta >= 7 { "api" } else { "smtp" };
        field(if is_attempt || rec == "r" { source } else { "" }, out);
        field(if is_attempt || rec == "r" { "feeder.example.net (10.0.0.5)" } else { "" }, out);
        field(if is_attempt || is_tq { "smtp" } else { "" }, out);
        field(if is_attempt || is_tq || rec == "f" { identity.ip } else { "" }, out);
        out.push(b',');
        if reached {
            destination(provider, &message, out);
        }
        if reached {
            quoted(provider.esmtp.as_bytes(), out)
        } else {
            out.push(b',')
        }
        out.push(b',');
        if rec == "d" {
            number(message.size, out);
        }
        field(vmta(event), out);
        let with_job = is_attempt || rec == "r";
        out.push(b',');
        if with_job {
            job(message.job, out);
        }
        out.push(b',');
        if !is_tq {
            hex(message.user ^ message.queued as u64, 12, out);
        }
        out.push(b',');
        if is_attempt || is_tq {
            match provider.rollup {
                Some(rollup) => out.extend_from_slice(rollup.as_bytes()),
                None => out.extend_from_slice(&self.domain),
            }
            out.push(b'/');
            out.extend_from_slice(identity.name.as_bytes());
        }
        field(if with_job { identity.pool } else { "" }, out);
        out.push(b',');
        if with_job && message.vmta < 7 {
            out.extend_from_slice(b"campaign-");
            number(message.job / 6, out);
        }
        out.push(b',');
        out.extend_from_slice(self.host.as_bytes());
        let tls = provider.tls.filter(|_| reached);
        field(tls.map_or("", |tls| tls.0), out);
        field(tls.map_or("", |tls| tls.1), out);
        field(if rec == "r" { "10.0.0.5" } else { "" }, out);
        field(if rec == "r" { "10.0.0.1" } else { "" }, out);
        field(if rec == "r" && message.vmta < 7 { "newsletter" } else { "" }, out);
        field(if rec == "rb" { "mail.remote.example" } else { "" }, out);
        field(
            match rec {
                "rb" | "rs" => "dsn",
                "f" => "arf",
                _ => "",
            },
            out,
        );
        field(if rec == "f" { "abuse" } else { "" }, out);
        field(if rec == "f" { "Yahoo!-Mail-Feedback/2.0" } else { "" }, out);
        out.push(b',');
        if rec == "f" {
            out.extend_from_slice(&self.mx);
        }
        field(if rec == "f" { "203.0.113.200" } else { "" }, out);
        out.extend_from_slice(b"\r\n");
    }

    fn addresses(&mut self, message: &Message, rng: &mut Rng) {
        self.domain.clear();
        rcpt_domain(message, &mut self.domain);
        self.rcpt.clear();
        let word = WORDS[message.user as usize % WORDS.len()];
        self.rcpt.extend_from_slice(word.as_bytes());
        self.rcpt.push(b'.');
        number(message.user, &mut self.rcpt);
        self.rcpt.push(b'@');
        let begin = self.rcpt.len();
        self.rcpt.extend_from_slice(&self.domain);
        if rng.chance(100) {
            self.rcpt[begin] = self.rcpt[begin].to_ascii_uppercase();
        }
        self.mx.clear();
        let provider = &PROVIDERS[message.provider];
        self.mx.extend_from_slice(provider.mx[message.mx].as_bytes());
        if provider.domains.is_empty() {
            self.mx.push(b'.');
            self.mx.extend_from_slice(&self.domain);
        }
    }

    fn orig(&self, message: &Message, out: &mut Vec<u8>) {
        if message.null_sender {
            return;
        }
        out.extend_from_slice(b"b-");
        number(message.job, out);
        out.push(b'-');
        number(message.user, out);
        out.push(b'=');
        out.extend_from_slice(&self.domain);
        out.push(b'@');
        out.extend_from_slice(SENDERS[message.sender].1.0.as_bytes());
    }

    /// The diagnostic, its marks filled in.
    fn diag(&mut self, event: &Event, provider: &Provider, rng: &mut Rng) {
        self.diag.clear();
        let mut text = match (event.rec, event.answer) {
            ("d", _) => *rng.pick(provider.accepted),
            (_, Some(answer)) => answer.1,
            _ => "",
        };
        while let Some(open) = text.find('{') {
            self.diag.extend_from_slice(&text.as_bytes()[..open]);
            let close = text[open..].find('}').map_or(text.len(), |n| open + n);
            let message = &event.message;
            match &text[open + 1..close] {
                "ip" => self.diag.extend_from_slice(VMTAS[message.vmta].ip.as_bytes()),
                "rcpt" => self.diag.extend_from_slice(&self.rcpt),
                "rcptdomain" => self.diag.extend_from_slice(&self.domain),
                "sender" => self.diag.extend_from_slice(SENDERS[message.sender].1.0.as_bytes()),
                "mx" => self.diag.extend_from_slice(&self.mx),
                "unix" => number(event.time as u64, &mut self.diag),
                "n" => number(rng.next() % 9000 + 100, &mut self.diag),
                "hex" => hex(rng.next(), 16, &mut self.diag),
                "qid" => upper_id(rng.next(), 11, &mut self.diag),
                "ID" => upper_id(rng.next(), 13, &mut self.diag),
                "iso" => iso(event.time, b'T', &mut self.diag),
                _ => {
                    // Google's: hexadecimal, a dash, more of it, `si`, digits, a dot, digits.
                    hex(rng.next(), 13, &mut self.diag);
                    self.diag.push(b'-');
                    hex(rng.next(), 11, &mut self.diag);
                    self.diag.extend_from_slice(b"si");
                    number(rng.next() % 900_000_000 + 1_000_000, &mut self.diag);
                    self.diag.push(b'.');
                    number(rng.next() % 900 + 1, &mut self.diag);
                }
            }
            text = text.get(close + 1..).unwrap_or_default();
        }
        self.diag.extend_from_slice(text.as_bytes());
    }

    fn time(&self, time: i64, out: &mut Vec<u8>) {
        iso(time + self.offset_min * 60, b' ', out);
        out.push(if self.offset_min < 0 { b'-' } else { b'+' });
        let minutes = self.offset_min.unsigned_abs();
        digits(minutes / 60, 2, out);
        digits(minutes % 60, 2, out);
    }
}

fn field(text: &str, out: &mut Vec<u8>) {
    out.push(b',');
    out.extend_from_slice(text.as_bytes());
}

/// A field that may need quotes.
fn quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b',');
    if !text.iter().any(|b| matches!(b, b',' | b'"' | b'\r' | b'\n')) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn destination(provider: &Provider, message: &Message, out: &mut Vec<u8>) {
    out.extend_from_slice(provider.net.as_bytes());
    number(message.domain as u64 % 200 + 10 + message.mx as u64, out);
}

fn job(job: u64, out: &mut Vec<u8>) {
    if job == BAD_JOB {
        return out.extend_from_slice(b"job-bad-list");
    }
    out.extend_from_slice(b"job-");
    number(job, out);
}

fn number(n: u64, out: &mut Vec<u8>) {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    let mut n = n;
    loop {
        at -= 1;
        buffer[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return out.extend_from_slice(&buffer[at..]);
        }
    }
}

fn digits(n: u64, count: u32, out: &mut Vec<u8>) {
    for i in (0..count).rev() {
        out.push(b'0' + (n / 10_u64.pow(i) % 10) as u8);
    }
}

fn hex(n: u64, count: usize, out: &mut Vec<u8>) {
    for i in 0..count {
        out.push(b"0123456789abcdef"[(n >> (4 * i)) as usize & 15]);
    }
}

/// A queue identifier: capitals and digits, the first a digit.
fn upper_id(n: u64, count: usize, out: &mut Vec<u8>) {
    number(n % 10, out);
    for i in 1..count {
        out.push(b"0123456789ABCDEFGHJKLMNPQRSTVWXYZ"[(n >> (4 * i)) as usize & 31]);
    }
}

/// `2026-03-01 16:00:00` of the seconds since 1970.
fn iso(time: i64, separator: u8, out: &mut Vec<u8>) {
    let (days, second) = (time.div_euclid(86_400), time.rem_euclid(86_400) as u64);
    // Days to a date of the Gregorian calendar, in years that begin in March.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    digits(year as u64, 4, out);
    out.push(b'-');
    digits(month as u64, 2, out);
    out.push(b'-');
    digits((doy - (153 * mp + 2) / 5 + 1) as u64, 2, out);
    out.push(separator);
    digits(second / 3600, 2, out);
    out.push(b':');
    digits(second / 60 % 60, 2, out);
    out.push(b':');
    digits(second % 60, 2, out);
}
