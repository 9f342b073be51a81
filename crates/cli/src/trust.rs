//! Whose certificates are trusted where an address begins with https: those that the machine trusts,
//! so also a company's own once it is installed there.

use ureq::tls::{PemItem, RootCerts, parse_pem};

use crate::settings;

/// Where systems keep them: Debian, Red Hat, SUSE, Alpine and macOS.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates in the file `named`, in the file that `SSL_CERT_FILE` names as for
/// OpenSSL, in the system's bundle; without any of them Mozilla's as of when this was built.
pub(crate) fn roots(named: Option<&str>) -> Result<RootCerts, String> {
    let certificates = authorities(named)?.as_deref().and_then(certificates);
    Ok(certificates.unwrap_or(RootCerts::WebPki))
}

/// The same, in PEM; nothing for Mozilla's.
pub(crate) fn authorities(named: Option<&str>) -> Result<Option<String>, String> {
    let named = named.map(str::to_owned).or_else(|| settings::variable("SSL_CERT_FILE"));
    if let Some(path) = named {
        let text = read(&path)?
            .ok_or_else(|| format!("there is no file {path}; it holds certificates to trust"))?;
        return match certificates(&text) {
            Some(_) => Ok(Some(text)),
            None => Err(format!("{path} holds no certificate in PEM")),
        };
    }
    for path in BUNDLES {
        let bundle = read(path)?.filter(|text| certificates(text).is_some());
        if bundle.is_some() {
            return Ok(bundle);
        }
    }
    Ok(None)
}

fn read(path: &str) -> Result<Option<String>, String> {
    settings::read(path.as_ref()).map_err(|failure| failure.message().to_owned())
}

/// The certificates of a text; none where it has none.
fn certificates(text: &str) -> Option<RootCerts> {
    let items = parse_pem(text.as_bytes());
    let certificates: Vec<_> = items
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    (!certificates.is_empty()).then(|| certificates.into())
}
