//! Where a cluster is: `spark://HOST:PORT` or, as other clients of Spark Connect have it,
//! `sc://HOST:PORT/;use_ssl=true`. Connects to nothing.

use std::fmt;

/// The port of a Connect server when none is said.
const PORT: u16 = 15002;

/// Where a Connect server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its name or address; an IPv6 address in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it speaks TLS.
    pub tls: bool,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence; it never has what might be a secret.
    pub fn parse(text: &str) -> Result<Address, String> {
        let rest = text.strip_prefix("spark://").or_else(|| text.strip_prefix("sc://"));
        let rest = rest.ok_or("it must begin with spark:// or sc://")?;
        let (place, options) = rest.split_once('/').unwrap_or((rest, ""));
        if place.contains('@') {
            return Err("it has no user; a token is named by the setting cluster.token".to_owned());
        }
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (host, port.ok_or("its port is no number from 1 to 65535")?)
            }
            _ => (place, PORT),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        let is_bare = host.contains(':') && !host.starts_with('[');
        if host.is_empty() || is_bare || !host.chars().all(is_plain) {
            return Err("it must be spark://HOST:PORT".to_owned());
        }
        let mut tls = false;
        for option in options.split(';').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("use_ssl", value)) if ["true", "false"].contains(&value) => {
                    tls = value == "true";
                }
                Some(("token", _)) => {
                    return Err("a token has no place in it, where other users of this machine \
                                see it; the setting cluster.token names it"
                        .to_owned());
                }
                Some((name, _)) => return Err(format!("its option `{name}` is not known here")),
                None => return Err("behind the slash stand options such as ;use_ssl=true".into()),
            }
        }
        Ok(Address { host: host.to_owned(), port, tls })
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address { host, port, tls } = self;
        write!(f, "spark://{host}:{port}{}", if *tls { "/;use_ssl=true" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_is_read_in_both_spellings() {
        for (text, shown) in [
            ("spark://node:7", "spark://node:7"),
            ("spark://node", "spark://node:15002"),
            ("sc://10.0.0.1:15002/;use_ssl=true", "spark://10.0.0.1:15002/;use_ssl=true"),
            ("sc://[::1]:15002/", "spark://[::1]:15002"),
            ("sc://[::1]", "spark://[::1]:15002"),
        ] {
            let address = Address::parse(text).expect("an address");
            assert_eq!(address.to_string(), shown);
            assert_eq!(Address::parse(shown).as_ref(), Ok(&address));
            assert_eq!(address.is_loopback(), text.contains("::1"));
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_what_it_holds() {
        for (text, what) in [
            ("http://node", "must begin"),
            ("spark://", "HOST:PORT"),
            ("spark://node:0", "port"),
            ("spark://node:99999", "port"),
            ("spark://a b:1", "HOST:PORT"),
            ("spark://::1", "HOST:PORT"),
            ("sc://node/;token=hidden", "cluster.token"),
            ("sc://me:hidden@node", "cluster.token"),
            ("sc://node/;user_id=hidden", "`user_id`"),
            ("sc://node/hidden", "options"),
        ] {
            let error = Address::parse(text).expect_err(text);
            assert!(error.contains(what) && !error.contains("hidden"), "{text}: {error}");
        }
    }
}
