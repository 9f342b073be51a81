//! The names of types: one that stands for many things leads nobody who searches for it.
//! It knows declarations, and nothing of where they are used.

use std::collections::BTreeMap;

use super::code::{code, without_tests};
use super::house::File;

/// So many types of a name, seen beyond their own file, are told apart by their crates.
const MOST: usize = 2;

/// Each crate has its own of these, as Rust's crates do.
const OF_EACH_CRATE: [&str; 2] = ["Error", "Result"];

/// Types that are seen beyond their own file and share their name with more than one other.
pub(super) fn names_of_many_types(house: &[File]) -> Vec<String> {
    let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in house.iter().filter(|file| file.place_in_crate().is_some()) {
        let code = code(&file.text);
        for (idx, line) in without_tests(&code).lines().enumerate() {
            if let Some(name) = declared(line.trim_start()) {
                let says = file.says(idx + 1, &format!("`{name}` is a name of many types"));
                by_name.entry(name.to_owned()).or_default().push(says);
            }
        }
    }
    by_name.retain(|name, places| places.len() > MOST && !OF_EACH_CRATE.contains(&name.as_str()));
    by_name.into_values().flatten().collect()
}

/// The name that a line declares for other files to see.
fn declared(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub")?;
    let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |it| it.1);
    let (kind, rest) = rest.trim_start().split_once(' ')?;
    let is_type = matches!(kind, "struct" | "enum" | "type" | "trait");
    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    is_type.then_some(&rest[..end])
}
