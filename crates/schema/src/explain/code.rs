//! Reply codes and enhanced codes, as an entry of the knowledge names them.

use std::fmt;

/// A code, or a range of codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A reply code, such as 421.
    Smtp(u16),
    /// An enhanced code.
    Enhanced {
        /// 4 or 5; none for both.
        class: Option<u16>,
        /// The middle number.
        subject: u16,
        /// First and last of the details.
        details: (u16, u16),
    },
}

impl Code {
    pub(super) fn parse(text: &str) -> Option<Code> {
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            [smtp] => Some(Code::Smtp(smtp.parse().ok()?)),
            [class, subject, details] => {
                let class = if *class == "*" { None } else { Some(class.parse().ok()?) };
                let (first, last) = details.split_once('-').unwrap_or((details, details));
                let details = (first.parse().ok()?, last.parse().ok()?);
                Some(Code::Enhanced { class, subject: subject.parse().ok()?, details })
            }
            _ => None,
        }
    }

    /// Whether a reply with these codes has this one.
    pub(super) fn fits(self, smtp: Option<u16>, enhanced: Option<&str>) -> bool {
        match self {
            Code::Smtp(known) => smtp == Some(known),
            Code::Enhanced { class, subject, details } => {
                let mut numbers =
                    enhanced.into_iter().flat_map(|code| code.split('.')).map(str::parse::<u16>);
                let mut next = || numbers.next().and_then(std::result::Result::ok);
                let (Some(c), Some(s), Some(d)) = (next(), next(), next()) else { return false };
                class.map_or(c == 4 || c == 5, |class| class == c)
                    && subject == s
                    && (details.0..=details.1).contains(&d)
            }
        }
    }
}

impl fmt::Display for Code {
    /// As the file spells it, with both classes: `4.7.26/5.7.26`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, subject, (first, last)) = match self {
            Code::Smtp(code) => return write!(f, "{code}"),
            Code::Enhanced { class, subject, details } => (class, subject, details),
        };
        let details = if first == last { first.to_string() } else { format!("{first}-{last}") };
        match class {
            Some(class) => write!(f, "{class}.{subject}.{details}"),
            None => write!(f, "4.{subject}.{details}/5.{subject}.{details}"),
        }
    }
}
