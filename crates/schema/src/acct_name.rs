//! The names of accounting files: what PMTA's rotation makes of them. Opens nothing.

use crate::time::Day;

/// The parts of `acct-2026-03-01-0004.csv`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AcctName<'n> {
    /// What stands before the date: `acct`.
    pub prefix: &'n str,
    /// The date, on the clock of the MTA.
    pub day: Day,
    /// The number of the file on that day, from 0.
    pub number: u32,
}

impl<'n> AcctName<'n> {
    /// Reads a file name; none when rotation has not made it.
    pub fn parse(name: &'n str) -> Option<AcctName<'n>> {
        let stem = name.split(".csv").next()?;
        let (rest, number) = stem.rsplit_once('-')?;
        let at = rest.len().checked_sub("2026-03-01".len())?;
        let (prefix, date) = (rest.get(..at)?, rest.get(at..)?);
        // Six digits are a time of day or an identifier, and have no next.
        let is_number =
            (4..=5).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.strip_suffix('-').filter(|_| is_number)?;
        Some(AcctName { prefix, day: Day::parse(date)?, number: number.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_file_has_a_day_and_a_number() {
        let shown =
            |name| AcctName::parse(name).map(|n| format!("{} {} {}", n.prefix, n.day, n.number));
        assert_eq!(shown("acct-2026-03-01-0004.csv").as_deref(), Some("acct 2026-03-01 4"));
        assert_eq!(
            shown("mta1-acct-2026-03-01-0012.csv.gz").as_deref(),
            Some("mta1-acct 2026-03-01 12")
        );
        for other in [
            "acct.csv",
            "acct-2026-03-01.csv",
            "2026-03-01-0001.csv",
            "acct-2026-13-01-0001.csv",
            "acct-2026-03-01-x001.csv",
            "acct-2026-03-01-235959.csv",
            "",
            "-0001.csv",
        ] {
            assert_eq!(shown(other), None, "{other}");
        }
    }
}
