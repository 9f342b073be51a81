//! The README tells the truth: what it shows is what the program prints.

use crate::sealed::{Sealed, root};

#[test]
fn the_transcripts_of_the_readme_are_what_is_printed() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let sealed = Sealed::new();
    let mut shown = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for transcript in block.split("$ pmtaq ").skip(1) {
            let (command, expected) = transcript.split_once('\n').unwrap();
            let args = words(command);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let run = sealed.run(&args);
            let printed = format!("{}{}", run.stderr, run.stdout);
            assert!(
                expected.trim_end() == printed.trim_end(),
                "the README differs from what `pmtaq {command}` prints:\n{printed}"
            );
            shown += 1;
        }
    }
    assert!(shown >= 3, "only {shown} transcripts");
}

/// Splits as a shell does, as far as the README needs it.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in command.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn what_the_readme_links_to_is_there_and_its_pictures_are_small() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let ours: Vec<&str> = links.filter(|link| !link.starts_with("http")).collect();
    assert!(ours.len() > 10, "{ours:?}");
    for link in ours {
        let path = root().join(link.split('#').next().unwrap());
        let size = path.metadata().unwrap_or_else(|_| panic!("{link} is not there")).len();
        assert!(!link.contains("pictures/") || size < 300_000, "{link} has {size} bytes");
    }
}
