//! Templates that differ in a counter only, seen together. No rule of one reply alone can tell a
//! counter from a code: `OFR004_557 [159]` may be either. Among all templates of a store it shows: what
//! takes many values at one place says nothing. Judges texts, and never counts records.

use std::collections::{BTreeMap, BTreeSet};

use super::masker::N;

/// So many values at one place of otherwise equal templates are a counter; codes are fewer.
const MANY: usize = 20;

/// Of all `templates` those that are one with others, each with the template that they are together.
/// A new value of a counter that is known falls into the same one.
pub fn folded<'t>(templates: &[&'t str]) -> BTreeMap<&'t str, String> {
    let mut groups: BTreeMap<Vec<&'t str>, Vec<Pieces<'t>>> = BTreeMap::new();
    for template in templates {
        let pieces = Pieces::of(template);
        groups.entry(pieces.texts.clone()).or_default().push(pieces);
    }
    let mut found = BTreeMap::new();
    for group in groups.into_values().filter(|group| group.len() > MANY) {
        let values = |at: usize| group.iter().map(|of| of.numbers[at]).collect::<BTreeSet<_>>();
        let counters: Vec<bool> =
            (0..group[0].numbers.len()).map(|at| values(at).len() > MANY).collect();
        if counters.contains(&true) {
            found.extend(group.iter().map(|of| (of.template, of.masked(&counters))));
        }
    }
    found
}

/// A template as its numbers and what stands before, between and behind them.
struct Pieces<'t> {
    template: &'t str,
    /// One more than numbers. The first has the codes, which are no counters.
    texts: Vec<&'t str>,
    numbers: Vec<&'t str>,
}

impl<'t> Pieces<'t> {
    fn of(template: &'t str) -> Pieces<'t> {
        let is_digit = |b: &u8| b.is_ascii_digit();
        let is_code = |word: &&str| word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let codes = template.split_inclusive(' ').take(2);
        let codes = codes.take_while(|word| is_code(&word.trim_end())).map(str::len).sum();
        let bytes = template.as_bytes();
        let (mut texts, mut numbers) = (Vec::new(), Vec::new());
        let (mut begin, mut at) = (0, codes);
        while let Some(start) = bytes[at..].iter().position(is_digit).map(|n| at + n) {
            at =
                bytes[start..].iter().position(|b| !is_digit(b)).map_or(bytes.len(), |n| start + n);
            texts.push(&template[begin..start]);
            numbers.push(&template[start..at]);
            begin = at;
        }
        texts.push(&template[begin..]);
        Pieces { template, texts, numbers }
    }

    fn masked(&self, counters: &[bool]) -> String {
        let numbers =
            self.numbers.iter().zip(counters).map(|(n, counts)| if *counts { N } else { *n });
        let numbers = numbers.chain([""]);
        self.texts.iter().zip(numbers).flat_map(|(text, number)| [*text, number]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(templates: &[String]) -> BTreeSet<String> {
        let templates: Vec<&str> = templates.iter().map(String::as_str).collect();
        let folded = folded(&templates);
        templates.iter().map(|t| folded.get(t).map_or((*t).to_owned(), String::clone)).collect()
    }

    #[test]
    fn counters_are_one_template_and_codes_stay() {
        let mut all: Vec<String> = (0..300)
            .map(|n| format!("421 Service refused, please try later. OFR004_{n} [{}]", n * 7 % 300))
            .collect();
        all.extend((1..10).map(|n| format!("421 4.7.0 [TSS0{n}] Messages from {{ip}} deferred")));
        all.extend((0..100).map(|n| format!("5{:02} 5.1.{n} user unknown", n % 60)));
        let shown = shown(&all);
        assert!(shown.contains("421 Service refused, please try later. OFR004_{n} [{n}]"));
        assert!(shown.contains("421 4.7.0 [TSS04] Messages from {ip} deferred"));
        assert_eq!(shown.len(), 1 + 9 + 100);
    }

    #[test]
    fn a_new_value_of_a_counter_falls_into_the_same_template() {
        let of = |values: std::ops::Range<usize>| {
            shown(&values.map(|n| format!("451 not now [#4.16.{n}]")).collect::<Vec<_>>())
        };
        assert_eq!(of(0..50), of(40..500));
        assert_eq!(of(0..5).len(), 5, "few values may be codes");
    }

    #[test]
    fn only_the_place_that_takes_many_values_is_masked() {
        let all: Vec<String> =
            (0..100).map(|n| format!("550 [C{}] refused as job{n}", n % 2)).collect();
        let expected = ["550 [C0] refused as job{n}", "550 [C1] refused as job{n}"];
        assert_eq!(shown(&all), expected.map(str::to_owned).into());
    }
}
