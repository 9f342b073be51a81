//! The code by which a provider names a kind of reply: `[TSS04]`, `(S3140)`, `OFR_506`.

/// The words that such codes begin with where no bracket marks them, and that nothing else does.
const BARE: &[&str] = &[
    "AUP#", "BL0000", "RL0000", "ES0000", "CXBL", "CDRBL", "CXDNS", "CXTHRT", "IPBL", "DY-00",
    "OU-00", "RP-00", "SC-00", "RCP-P", "DT:", "HL:", "MI:", "RP:", "WM:", "OFR", "LPN", "IB",
];

/// The code of a reply in capitals, without its bracket; none where the provider names none.
pub fn family(template: &str) -> Option<String> {
    let tokens = template.split_whitespace().flat_map(|word| word.split(',')).map(|word| {
        word.trim_end_matches(['.', ',', ';', ':', '"', '\'']).trim_start_matches(['"', '\''])
    });
    let mut bare = None;
    for token in tokens {
        if let Some(inner) = bracketed(token) {
            return Some(inner.to_ascii_uppercase());
        }
        let name = token.rsplit('#').next().filter(|_| token.contains("://")).unwrap_or(token);
        if bare.is_none() && is_bare(name) {
            bare = Some(name.to_ascii_uppercase());
        }
    }
    bare
}

/// `[TSS04]`, `(S3140)`, `(DYN:T1)`: capitals, digits and few marks, at least one of them a capital.
fn bracketed(token: &str) -> Option<&str> {
    let inner = token.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let inner = inner.or_else(|| token.strip_prefix('(').and_then(|t| t.strip_suffix(')')))?;
    let capitals = inner.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = &inner[capitals..];
    let mark = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase() || matches!(b, b'-' | b':');
    let named = rest.bytes().any(|b| b.is_ascii_digit()) || rest.contains(':');
    ((1..=5).contains(&capitals) && inner.len() <= 12 && named && rest.bytes().all(mark))
        .then_some(inner)
}

/// A code that stands without a bracket: it begins as one of [`BARE`] does, and holds a digit or
/// capitals behind.
fn is_bare(token: &str) -> bool {
    let upper = token.to_ascii_uppercase();
    let Some(start) = BARE.iter().find(|start| upper.starts_with(*start)) else { return false };
    let rest = &upper[start.len()..];
    let tidy = rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b':'));
    let digit = upper.bytes().any(|b| b.is_ascii_digit());
    let lettered = start.ends_with(':') && token.starts_with(*start) && !rest.is_empty();
    tidy && token.len() <= 16 && (digit || lettered || start.starts_with("CX") || *start == "CDRBL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_provider_is_found() {
        for (text, code) in [
            ("421 4.7.0 [TSS04] Messages from {ip} temporarily deferred", "TSS04"),
            ("554 5.7.1 [CS01] Message rejected due to local policy.", "CS01"),
            ("550 5.7.1 part of their network is on our block list (S3140).", "S3140"),
            ("421 RP-001 ({id}) Unfortunately, some messages", "RP-001"),
            ("550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]", "OFR_506"),
            ("421 4.7.0 (DYN:T1) https://postmaster.aol.com/error-codes#421dynt1", "DYN:T1"),
            ("550 5.1.0 <{email}> sender rejected. AUP#In-1310", "AUP#IN-1310"),
            ("554 found on one or more DNSBLs, see http://x/codes.php#BL000010", "BL000010"),
            ("554 DT:SPM {n} {id}", "DT:SPM"),
            ("550 <{email}> has sent to too many recipients this hour. IB607", "IB607"),
        ] {
            assert_eq!(family(text).as_deref(), Some(code), "{text}");
        }
    }

    #[test]
    fn words_in_brackets_and_names_are_no_codes() {
        for text in [
            "550 5.1.1 user unknown (RCPT)",
            "554 see [505] or [#102]",
            "550 from [{ip}] (in reply to MAIL)",
            "550 IBM says no",
            "452 4.2.2 over quota",
        ] {
            assert_eq!(family(text), None, "{text}");
        }
    }
}
