//! Who runs a mailbox: Google for thousands of domains, and not only for `gmail.com`.
//! The knowledge is data (`data/providers.csv`); here is only the order in which it is asked.

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

    /// Who says which provider a record has, in this order: the first that says anything. A question
    /// is asked with the text of a field, which is not empty.
    pub const QUESTIONS: [(ProviderField, Lookup); 5] = [
        (ProviderField::Queue, Providers::of_rollup),
        (ProviderField::Server, Providers::of_server),
        (ProviderField::RcptDomain, Providers::of_domain),
        // Where no table knows them, names speak for themselves.
        (ProviderField::Server, |_, dsn_mta| name_of_server(dsn_mta)),
        // As in a record of reception, which names no server.
        (ProviderField::RcptDomain, |_, rcpt_domain| Some(rcpt_domain.to_owned())),
    ];

    /// The provider of a brand that people say for it: `hotmail` for `hotmail.com`. None of a name
    /// that no domain or mail server has, and of one that is the provider's own.
    pub fn of_brand(&self, brand: &str) -> Option<String> {
        let brand = brand.to_ascii_lowercase();
        let is_of_brand = |name: &&String| name.split('.').next() == Some(brand.as_str());
        // By the name that is first in order, so that the answer is always the same.
        let of = |table: &HashMap<String, String>| {
            let name = table.keys().filter(is_of_brand).min()?;
            table.get(name).cloned()
        };
        of(&self.by_domain).or_else(|| of(&self.by_mx)).filter(|provider| *provider != brand)
    }

    fn of_rollup(&self, queue: &str) -> Option<String> {
        let queue = queue.split('/').next().unwrap_or_default().to_ascii_lowercase();
        let rollup = queue.strip_suffix(".rollup").filter(|rollup| !rollup.is_empty())?;
        let known = self.by_rollup.get(rollup).or_else(|| self.by_domain.get(rollup));
        Some(known.map_or(rollup, String::as_str).to_owned())
    }

    fn of_server(&self, dsn_mta: &str) -> Option<String> {
        let host = host_of(dsn_mta);
        let name = registrable(&host);
        // A server in a provider's own domain is the provider's.
        self.by_mx.get(name).or_else(|| self.by_domain.get(name)).cloned()
    }

    fn of_domain(&self, rcpt_domain: &str) -> Option<String> {
        self.by_domain.get(rcpt_domain).cloned()
    }
}

/// What a table or the name itself says.
pub type Lookup = fn(&Providers, &str) -> Option<String>;

/// What of a record a question about its provider is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderField {
    /// Its queue: `yahoo.rollup/vmta1`.
    Queue,
    /// Its `dsnMta`: `mx.example.com (192.0.2.1)`.
    Server,
    /// The domain of its recipient, as it is compared.
    RcptDomain,
}

fn host_of(dsn_mta: &str) -> String {
    let mut host = String::new();
    normal_domain(mx_host(dsn_mta.as_bytes()).0, &mut host);
    host
}

/// The registrable name of a server. An address instead of a name says nothing of who runs it.
fn name_of_server(dsn_mta: &str) -> Option<String> {
    let host = host_of(dsn_mta);
    let server = registrable(&host);
    let named = server.contains('.') && server.ends_with(|c: char| c.is_ascii_alphabetic());
    named.then(|| server.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider_of(table: &Providers, queue: &str, dsn_mta: &str, rcpt_domain: &str) -> String {
        let said = Providers::QUESTIONS.iter().find_map(|(asked, answer)| {
            let text = match asked {
                ProviderField::Queue => queue,
                ProviderField::Server => dsn_mta,
                ProviderField::RcptDomain => rcpt_domain,
            };
            if text.is_empty() { None } else { answer(table, text) }
        });
        said.unwrap_or_default()
    }

    #[test]
    fn a_brand_is_found_by_its_domain() {
        let table = Providers::builtin();
        for (brand, provider) in [
            ("hotmail", Some("microsoft")),
            ("Google", Some("gmail")),
            ("gmx", Some("united-internet")),
            ("gmail", None),
            ("nobody-has-this", None),
        ] {
            assert_eq!(table.of_brand(brand).as_deref(), provider, "{brand}");
        }
    }

    #[test]
    fn hosted_domains_fall_under_their_provider() {
        let table = Providers::builtin();
        for (queue, mta, domain, expected) in [
            ("yahoo.rollup/vmta18", "", "yahoo.fr", "yahoo"),
            ("own.rollup/vmta1", "mx.x.org (192.0.2.1)", "x.org", "own"),
            ("acme.com/vmta1", "aspmx.l.google.com (142.250.1.1)", "acme.com", "gmail"),
            ("gmail.com/v", "mx.gmail.com (192.0.2.1)", "", "gmail"),
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
            (".rollup/v", "", "x.org", "x.org"),
            ("", "", "", ""),
        ] {
            assert_eq!(provider_of(&table, queue, mta, domain), expected, "{queue} {mta} {domain}");
        }
    }

    #[test]
    fn the_builtin_table_can_be_asked_for_all_that_it_holds() {
        let table = Providers::builtin();
        assert!(table.by_mx.keys().all(|name| registrable(name) == name), "never looked up");
        let domains: Vec<&String> = table.by_domain.keys().collect();
        for domain in domains {
            assert_eq!(provider_of(&table, "", "", domain), table.by_domain[domain]);
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
        let of = |mta: &str, domain: &str| provider_of(&table, "", mta, domain);
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
