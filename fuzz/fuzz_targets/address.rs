//! The domain of an address is a part of it without separators; the form that is compared stays
//! itself; a text from which recipients were taken has none left. Knows no file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaq_ingest::Privacy;
use pmtaq_schema::address::{Mention, domain_of, mx_host, normal_domain, registrable};

fuzz_target!(|bytes: &[u8]| {
    if let Some(domain) = domain_of(bytes) {
        let has = |byte: &u8| domain.contains(byte);
        assert!(!domain.is_empty() && !b"@ \t\r\n>\"".iter().any(has));
        let (mut once, mut twice) = (String::new(), String::new());
        normal_domain(domain, &mut once);
        normal_domain(once.as_bytes(), &mut twice);
        assert!(once == twice || !once.is_ascii(), "{once} is {twice}");
        assert!(once.ends_with(registrable(&once)));
    }
    let (host, ip) = mx_host(bytes);
    assert!(host.len() + ip.len() <= bytes.len());

    let text = String::from_utf8_lossy(bytes);
    let once = Privacy::Mask.sought(&text);
    for hidden in [&once, &Privacy::Mask.sought(&once)] {
        let mut before = ' ';
        for c in hidden.chars() {
            assert!(c != '@' || !before.is_alphanumeric(), "an address is left: {hidden}");
            before = c;
        }
    }

    if let Some((address, text)) = text.split_once('\n')
        && let Some(mention) = Mention::of(address)
        && let Some(without) = mention.replaced(text, "*")
    {
        assert_eq!(mention.replaced(&without, "*"), None, "a mention is left: {without}");
    }
});
