//! Charts: nothing wider than it may be, nothing of strangers that acts.

use pmtaq_render::chart::{Chart, Edge, Line, Size, svg};
use pmtaq_schema::Unit;
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr as _;

fn chart(labels: &[String], values: &[Vec<Option<f64>>], unit: Unit) -> Chart {
    let steps = values.first().map_or(0, Vec::len);
    let lines = labels.iter().zip(values);
    Chart {
        title: labels.join(", "),
        unit,
        bounds: (0..=steps as i64).map(|n| 1_772_380_800 + n * 600).collect(),
        lines: lines.map(|(l, v)| Line { label: l.clone(), values: v.clone() }).collect(),
        edges: (0..steps).map(|n| (n + 1 == steps).then_some(Edge::Incomplete)).collect(),
        stacked: unit == Unit::Count,
        own_scales: false,
        adds_up: unit == Unit::Count,
        zone: chrono_tz::Europe::Madrid,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_line_is_wider_than_the_terminal_and_nothing_acts(
        labels in prop::collection::vec("\\PC{0,60}|[<>&\"'\\x1b\u{202e}\n]{1,9}", 1..8),
        steps in 1..400_usize,
        seed in prop::collection::vec(prop::option::of(0.0..1e9_f64), 8..30),
        width in 40..200_usize,
        unit in 0..4_usize,
        color: bool,
    ) {
        let unit = [Unit::Count, Unit::Percent, Unit::Seconds, Unit::Bytes][unit];
        let values: Vec<Vec<Option<f64>>> = (0..labels.len())
            .map(|line| (0..steps).map(|step| seed[(step * 7 + line) % seed.len()]).collect())
            .collect();
        let chart = chart(&labels, &values, unit);
        let text = chart.terminal(Size { width, height: 12 }, false);
        for line in text.lines() {
            prop_assert!(line.width() <= width, "{} > {width}: {line}", line.width());
        }
        let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        prop_assert!(!text.chars().any(acts));
        let painted = chart.terminal(Size { width, height: 12 }, color);
        prop_assert_eq!(painted.contains('\x1b'), color);
        let picture = svg(&[chart]);
        let tags = picture.matches('<').count();
        prop_assert_eq!(tags, picture.matches('>').count());
        prop_assert!(!picture.contains('\x1b') && !picture.contains("<script"));
    }
}

#[test]
fn a_name_of_strangers_is_text_in_a_picture() {
    let hostile = "</title><script>alert(1)</script>\" onload='x'";
    let picture = svg(&[chart(&[hostile.to_owned()], &[vec![Some(1.0), None]], Unit::Count)]);
    assert!(!picture.contains("<script") && !picture.contains("\" onload"), "{picture}");
    assert!(picture.contains("&lt;script&gt;"));
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let text = chart(&[], &[], Unit::Count).terminal(Size { width: 80, height: 12 }, false);
    assert!(text.contains("nothing in this window"), "{text}");
    assert!(svg(&[]).starts_with("<svg"));
}
