//! What packages install: every service and every line for cron works as it stands, with the store
//! and the files that `/etc/pmtaq.toml` names, and says nothing when there is nothing to say.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::sealed::{Sealed, root};

/// The command lines in packaging/, with the files that have them.
fn command_lines() -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(root().join("packaging/systemd")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let commands = text.lines().filter_map(|line| line.strip_prefix("ExecStart=/usr/bin/"));
        lines.extend(commands.map(|command| (name.clone(), command.to_owned())));
    }
    let cron = std::fs::read_to_string(root().join("packaging/pmtaq.cron")).unwrap();
    for line in cron.lines().filter(|line| line.contains("  pmtaq  ")) {
        let (_, command) = line.split_once("  pmtaq  ").unwrap();
        lines.push(("pmtaq.cron".to_owned(), command.to_owned()));
    }
    // An ingest comes first, so that the others have a store.
    lines.sort_by_key(|(_, command)| !command.contains("pmtaq ingest"));
    lines
}

fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    let mut next = 0;
    while next < all.len() {
        if let Ok(entries) = std::fs::read_dir(&all[next]) {
            all.extend(entries.map(|entry| entry.unwrap().path()));
        }
        next += 1;
    }
    all
}

/// A machine on which all is installed, with its folders below that of `sealed`.
fn installed(sealed: &Sealed) -> impl Fn(&str) -> String {
    let dir = sealed.dir.path().to_str().unwrap().to_owned();
    move |text: &str| {
        text.replace("/var/lib/", &format!("{dir}/lib/"))
            .replace("/var/spool/", &format!("{dir}/spool/"))
    }
}

#[test]
fn each_service_and_each_line_for_cron_finds_the_store_and_is_quiet_at_scale() {
    let sealed = Sealed::new();
    let here = installed(&sealed);
    let toml = std::fs::read_to_string(root().join("packaging/pmtaq.toml")).unwrap();
    let toml = here(&toml).replace("#[prune]\n#keep", "[prune]\nkeep");
    sealed.file("etc/pmtaq.toml", toml);
    sealed.file(
        "etc/pmtaq/alerts.toml",
        "[[receiver]]\nname = 'nobody'\ntype = 'webhook'\nurl = 'http://127.0.0.1:9/'\n\
         [[rule]]\nname = 'full'\nwatch = 'disk'\npath = '/'\nabove = 101\nto = ['nobody']\n",
    );
    let sample = std::fs::read_dir(root().join("samples/acct")).unwrap();
    for entry in sample {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        sealed.file(&format!("spool/pmta-acct/{name}"), std::fs::read(&path).unwrap());
    }
    sealed.file("lib/pmtaq/.keep", "");
    sealed.file("lib/pmtaq-metrics/.keep", "");
    let program = Path::new(env!("CARGO_BIN_EXE_pmtaq"));
    let lines = command_lines();
    assert!(lines.len() >= 10, "{lines:?}");
    for (file, command) in lines {
        let command = here(&command).replace("pmtaq ", "pmtaq --now 2026-03-05T12:00:00Z ");
        let command = command.replace("nice -n 10 ", "");
        let run = std::process::Command::new("/bin/sh")
            .args(["-c", &format!("umask 027; {command}")])
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", program.parent().unwrap().display()))
            .env("PMTAQ_ETC", sealed.dir.path().join("etc"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
        assert_eq!(run.status.code(), Some(0), "{file}: {command}: {said}");
        // The journal has the whole of what the doctor found; cron sends it when it is trouble.
        let is_told = file == "pmtaq-doctor.service";
        assert_eq!(!said.is_empty(), is_told, "{file}: {command}: {said}");
    }
    assert!(sealed.dir.path().join("lib/pmtaq-metrics/pmtaq.prom").is_file());
    let store = all_below(&sealed.dir.path().join("lib/pmtaq/store"));
    assert!(store.len() > 20, "{store:?}");
    for path in store {
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o027, 0, "{} is {mode:o}", path.display());
    }
}

#[test]
fn the_store_and_the_files_are_named_in_the_configuration_alone() {
    for path in all_below(&root().join("packaging")).into_iter().filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let is_configuration = path.ends_with("pmtaq.toml");
        for word in ["/var/lib/pmtaq/store", "/var/spool/pmta-acct"] {
            assert_eq!(text.contains(word), is_configuration, "{}: {word}", path.display());
        }
        assert!(!text.contains("PMTAQ_STORE="), "{}", path.display());
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn packages_hold_every_unit() {
    let packed = read("packaging/nfpm.yaml");
    for path in all_below(&root().join("packaging/systemd")).into_iter().filter(|p| p.is_file()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let source = if name.starts_with("pmtaq-") { "pmtaq-*" } else { name };
        assert!(packed.contains(&format!("packaging/systemd/{source},")), "{name}");
    }
}

/// What stands behind a key, up to the end of the line, without quotes.
fn said<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(key));
    line.unwrap_or_else(|| panic!("{key}")).trim_matches([' ', '"'])
}

#[test]
fn a_service_fails_where_the_store_cannot_be_read() {
    for path in all_below(&root().join("packaging/systemd")).into_iter().filter(|p| p.is_file()) {
        let unit = std::fs::read_to_string(&path).unwrap();
        for hides in ["SuccessExitStatus=", "ExecStart=-"] {
            assert!(!unit.contains(hides), "{}: {hides}", path.display());
        }
    }
    let sealed = Sealed::new();
    sealed.file("store/_pmtaq/root.json", "{");
    let sample = root().join("samples/quirks/quirk-offsets.csv");
    let run = sealed.run(&["ingest", "--quiet", sample.to_str().unwrap()]);
    assert!(run.code == Some(3) && run.stderr.contains("is damaged"), "{run:?}");
}

#[test]
fn what_is_said_of_the_project_in_several_places_agrees() {
    let cargo = read("Cargo.toml");
    assert_eq!(said(&read("CITATION.cff"), "version:"), said(&cargo, "version = "));
    let repository = said(&cargo, "repository = ");
    for place in ["CITATION.cff", "SECURITY.md", "python/pyproject.toml"] {
        assert!(read(place).contains(repository), "{place}");
    }
    // The program finds its library at one place, seen from its own, however it was installed.
    assert!(read("scripts/dist").contains("PMTAQ_RUN_PATH=\"\\$ORIGIN/../lib/pmtaq\""));
    assert!(read("packaging/nfpm.yaml").contains("dst: /usr/lib/pmtaq/libduckdb.so"));
    assert!(read("python/pyproject.toml").contains("\"prefix/lib/pmtaq\" = \"lib/pmtaq\""));
    // And needs one glibc.
    let (script, packages) = (read("scripts/dist"), read("packaging/nfpm.yaml"));
    let glibc = said(&script, "glibc=");
    assert!(packages.contains(&format!("libc6 (>= {glibc})")), "{glibc}");
    assert!(packages.contains(&format!("glibc >= {glibc}\"")), "{glibc}");
}

#[test]
fn workflows_do_nothing_but_call_targets_of_the_makefile() {
    let makefile = read("Makefile");
    let is_target = |word: &str| makefile.lines().any(|line| line.starts_with(&format!("{word}:")));
    let mut runs = 0;
    for path in all_below(&root().join(".github/workflows")).into_iter().filter(|p| p.is_file()) {
        let text = std::fs::read_to_string(&path).unwrap();
        // `make ${{ matrix.make }}` calls what the list of that name has.
        let list =
            text.lines().find_map(|line| line.trim().strip_prefix("make: [")?.strip_suffix(']'));
        for line in text.lines() {
            let Some(run) = line.trim_start().trim_start_matches("- ").strip_prefix("run: ") else {
                continue;
            };
            runs += 1;
            let run = run.replace("${{ matrix.make }}", &list.unwrap_or_default().replace(',', ""));
            let mut words = run.split(' ');
            assert_eq!(words.next(), Some("make"), "{}: {run}", path.display());
            for word in words.filter(|word| !word.contains(['=', '{', '}', '.'])) {
                assert!(is_target(word), "{}: {run}: make has no {word}", path.display());
            }
        }
    }
    assert!(runs >= 3, "{runs} lines");
}

#[test]
fn links_among_the_pages_lead_somewhere() {
    let pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
    let pages = pages.into_iter().map(|page| root().join(page));
    let docs = all_below(&root().join("docs")).into_iter();
    let docs = docs.filter(|page| page.extension().is_some_and(|of| of == "md"));
    let mut links = 0;
    for page in pages.chain(docs) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#', ' ']).next().unwrap_or_default();
            if link.is_empty() || link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            links += 1;
            assert!(page.parent().unwrap().join(link).exists(), "{}: {link}", page.display());
        }
    }
    assert!(links > 20, "{links} links");
}

#[test]
fn the_rules_that_watch_for_silence_look_at_each_mta_by_itself() {
    let prometheus = read("packaging/prometheus/pmtaq.rules.yml");
    let rule = prometheus.lines().find(|line| line.contains("- pmtaq_newest_record_timestamp"));
    assert!(rule.is_some_and(|rule| !rule.contains("max")), "{rule:?}");
    let starter: toml::Value = toml::from_str(&read("packaging/alerts/starter.toml")).unwrap();
    let rules = starter["rule"].as_array().unwrap();
    for name in ["lag", "silent", "no-traffic"] {
        let rule = rules.iter().find(|rule| rule["name"].as_str() == Some(name)).unwrap();
        assert_eq!(rule["by"].as_array().unwrap()[0].as_str(), Some("host"), "{name}");
    }
}
