//! The frame of the page: what the browser may do, style, script, heading and table of contents.
//! Holds no numbers.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::Page;
use super::text::text;
use crate::chart;

static STYLE: LazyLock<String> =
    LazyLock::new(|| format!("{}\n{}\n", include_str!("page.css"), chart::style()));
const SCRIPT: &str = include_str!("page.js");

/// A mark for the tab of the browser: three bars, one of them red.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%232a6fb0' d='M1 8h4v7H1zM6 4h4v11H6z'/%3E%3Cpath fill='%23c2410c' d='M11 1h4v14h-4z'/%3E%3C/svg%3E";

/// What the browser may do with this page: run this script, apply this style, show the mark, and
/// nothing else. A script that got into the page by a text of strangers would not have the hash.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(&STYLE)
    )
});

pub(super) fn head(page: &Page) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(*POLICY);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            meta name="generator" content={ "pmtaq " (env!("CARGO_PKG_VERSION")) };
            title { (text(&page.title)) " - " (text(&page.window)) }
            link rel="icon" href=(ICON);
            style { (PreEscaped(STYLE.as_str())) }
        }
    }
}

pub(super) fn script() -> Markup {
    html! { script { (PreEscaped(SCRIPT)) } }
}

pub(super) fn banner(page: &Page) -> Markup {
    html! {
        header.banner {
            div.headline {
                h1 { (text(&page.title)) }
                p.window { (text(&page.window)) }
            }
            button #theme type="button" hidden aria-pressed="false" { "Dark" }
            dl.facts {
                @for (name, fact) in &page.facts {
                    div { dt { (text(name)) } " " dd { (text(fact)) } }
                }
            }
        }
        nav.contents aria-label="Sections" {
            a href="#problems" { "Problems" }
            @for section in &page.sections { " " a href={ "#" (section.id) } { (text(&section.title)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_the_own_script_run_and_no_other() {
        assert!(POLICY.starts_with("default-src 'none'; script-src 'sha256-"));
        assert!(!POLICY.contains("unsafe"));
    }

    #[test]
    fn neither_script_nor_style_ends_its_element() {
        assert!(!SCRIPT.contains("</") && !STYLE.contains("</"));
    }
}
