//! The template of a reply is bounded, and is its own template. Knows no file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaq_schema::reply::Reply;
use pmtaq_schema::template::template_of;

fn template(dsn_diag: &str) -> String {
    let mut out = String::new();
    template_of(&Reply::parse(dsn_diag, ""), "", &mut out);
    out
}

/// How often a template of bytes at random is made of a template at most before it stays. What one pass
/// masks parts what is left otherwise, so the next may mask more; but each masks a byte at least. Of
/// replies that are text the first template stays, which tests beside the code hold.
const SETTLED: usize = 300;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut last = template(&text);
    for _ in 0..SETTLED {
        assert!(last.len() <= 300, "{} bytes: {last}", last.len());
        assert!(!last.contains("  ") && !last.ends_with(' '), "{last:?}");
        let next = template(&format!("smtp;{last}"));
        if next == last {
            return;
        }
        last = next;
    }
    panic!("it never settles: {text}");
});
