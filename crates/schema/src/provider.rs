//! Who runs a mailbox: Google for thousands of domains, and not only for `gmail.com`.
//! The knowledge is data (`data/providers.csv`); here is only the order in which it is asked.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::address::{mx_host, normal_domain, registrable};

/// The table of providers.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    by_mx: HashMap<String, String>,
    by_domain: HashMap<String, String>,
    by_rollup: HashMap<String, String>,
}

/// A line of a provider table that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{text}` is not `provider,kind,name` with kind mx, domain or rollup")]
pub struct BadLine {
    /// Line number, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

impl Providers {
    /// The table that comes with pmtaq.
    pub fn builtin() -> Providers {
        Providers::parse(include_str!("../data/providers.csv")).expect("tested below")
    }

    /// Reads a table: one `provider,kind,name` a line, `#` begins a comment, later lines win.
    ///
    /// # Errors
    /// The first line of another form.
    pub fn parse(text: &str) -> Result<Providers, BadLine> {
        let mut providers = Providers::default();
        providers.extend(text)?;
        Ok(providers)
    }

    /// Adds the lines of another table, of the same form, to this one. A name that is here already
    /// gets the other provider. Returns how many lines it has.
    ///
    /// # Errors
    /// The first line of another form; the lines before it are added.
    pub fn extend(&mut self, text: &str) -> Result<usize, BadLine> {
        let mut lines = 0;
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let mut cells = line.split(',').map(str::trim);
            let (Some(provider), Some(kind), Some(name), None) =
                (cells.next(), cells.next(), cells.next(), cells.next())
            else {
                return Err(BadLine { line: number + 1, text: line.to_owned() });
            };
            let table = match kind {
                "mx" => &mut self.by_mx,
                "domain" => &mut self.by_domain,
                "rollup" => &mut self.by_rollup,
                _ => return Err(BadLine { line: number + 1, text: line.to_owned() }),
            };
            let mut key = String::new();
            normal_domain(name.as_bytes(), &mut key);
            table.insert(key, provider.to_owned());
            lines += 1;
        }
        Ok(lines)
    }

    /// The provider of a record: by the rollup queue, else by the mail server, else by the
    /// recipient's domain; where no table knows them, the registrable name of the server, and
    /// last the domain itself. Empty when all three are.
    pub fn provider_of<'a>(
        &'a self,
        queue: &str,
        dsn_mta: &str,
        rcpt_domain: &'a str,
    ) -> Cow<'a, str> {
        let queue = queue.split('/').next().unwrap_or_default().to_ascii_lowercase();
        if let Some(rollup) = queue.strip_suffix(".rollup") {
            let known = self.by_rollup.get(rollup).or_else(|| self.by_domain.get(rollup));
            return known
                .map_or_else(|| Cow::Owned(rollup.to_owned()), |p| Cow::Borrowed(p.as_str()));
        }
        let mut host = String::new();
        normal_domain(mx_host(dsn_mta.as_bytes()).0, &mut host);
        let server = registrable(&host);
        if let Some(provider) = self.by_mx.get(server).or_else(|| self.by_domain.get(rcpt_domain)) {
            return Cow::Borrowed(provider);
        }
        // An address instead of a name says nothing of who runs it.
        if server.contains('.') && server.ends_with(|c: char| c.is_ascii_alphabetic()) {
            return Cow::Owned(server.to_owned());
        }
        // As in a record of reception, which names no server.
        Cow::Borrowed(rcpt_domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosted_domains_fall_under_their_provider() {
        let table = Providers::builtin();
        for (queue, mta, domain, expected) in [
            ("yahoo.rollup/vmta18", "", "yahoo.fr", "yahoo"),
            ("own.rollup/vmta1", "mx.x.org (192.0.2.1)", "x.org", "own"),
            ("acme.com/vmta1", "aspmx.l.google.com (142.250.1.1)", "acme.com", "gmail"),
            ("acme.de/v", "acme-de.mail.protection.outlook.com (1.2.3.4)", "acme.de", "microsoft"),
            ("hotmail.com/v", "", "hotmail.com", "microsoft"),
            ("1181.com/v", "foo.int.port25.com (10.1.2.3)", "1181.com", "port25.com"),
            ("a.co.uk/v", "MX1.Host.co.uk (1.2.3.4)", "a.co.uk", "host.co.uk"),
            ("a.org/v", "", "a.org", "a.org"),
            ("a.org/v", "[192.0.2.1] (192.0.2.1)", "a.org", "a.org"),
            ("a.org/v", "192.0.2.1", "a.org", "a.org"),
            ("b.ch/v", "b-ch.x-v1.mx.microsoft (192.0.2.1)", "b.ch", "microsoft"),
            ("aol.com/v", "mx-aol.mail.gm0.yahoodns.net (192.0.2.1)", "aol.com", "yahoo"),
            ("c.org/v", "mxa-0012.gslb.pphosted.com (192.0.2.1)", "c.org", "proofpoint"),
            ("gmx.at/v", "mx00.emig.gmx.net (192.0.2.1)", "gmx.at", "united-internet"),
            ("d.de/v", "mx01.kundenserver.de (192.0.2.1)", "d.de", "ionos"),
            ("web.de.rollup/v", "", "x.org", "united-internet"),
            ("", "", "", ""),
        ] {
            assert_eq!(table.provider_of(queue, mta, domain), expected, "{queue} {mta} {domain}");
        }
    }

    #[test]
    fn the_builtin_table_can_be_asked_for_all_that_it_holds() {
        let table = Providers::builtin();
        assert!(table.by_mx.keys().all(|name| registrable(name) == name), "never looked up");
        let domains: Vec<&String> = table.by_domain.keys().collect();
        for domain in domains {
            assert_eq!(table.provider_of("", "", domain), table.by_domain[domain]);
        }
        let rows = include_str!("../data/providers.csv").lines().filter(|l| !l.starts_with('#'));
        let held = table.by_mx.len() + table.by_domain.len() + table.by_rollup.len();
        assert_eq!(rows.count(), held, "a name stands twice");
    }

    #[test]
    fn a_site_adds_to_the_table_and_replaces_entries_of_it() {
        let mut table = Providers::builtin();
        let own = "own-relay,mx,mx.example # ours\nworkspace,mx,google.com\n";
        assert_eq!(table.extend(own), Ok(2));
        let of = |mta: &str, domain: &str| table.provider_of("", mta, domain).into_owned();
        assert_eq!(of("a.mx.example (192.0.2.1)", "x.org"), "own-relay");
        assert_eq!(of("aspmx.l.google.com (192.0.2.1)", "x.org"), "workspace");
        assert_eq!(of("", "gmail.com"), "gmail");
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let error = Providers::parse("# ok\na,mx,b\nc,mail,d\n").expect_err("bad kind");
        assert_eq!(error, BadLine { line: 3, text: "c,mail,d".to_owned() });
    }
}
