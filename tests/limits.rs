//! What the program may use: memory, as the system counts it, whatever the format.

use std::io::Read;
use std::process::Stdio;

use crate::sealed::Sealed;

const MB: u64 = 1_000_000;

/// The most memory that the program had at once, in bytes, and how much it printed.
fn peak(sealed: &Sealed, args: &[&str]) -> (u64, usize) {
    let mut child = sealed.command().args(args).stdout(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let high_water = || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("VmHWM:"));
        let kb = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kb.map_or(0, |kb| kb * 1024)
    };
    let (mut most, mut printed) = (0, 0);
    let mut stdout = child.stdout.take().unwrap();
    let mut buffer = vec![0; 1 << 20];
    loop {
        // It only grows, and the program still lives while there is something to be read.
        most = most.max(high_water());
        match stdout.read(&mut buffer).unwrap() {
            0 => break,
            n => printed += n,
        }
    }
    assert!(child.wait().unwrap().success(), "{args:?}");
    (most, printed)
}

#[test]
fn no_format_keeps_the_rows_that_it_writes_at_scale() {
    let sealed = Sealed::of_samples();
    let rows = "select range r, hash(range) h, repeat('abc ', 30) t from range(300000)";
    for &format in pmtaq_render::Format::ALL {
        let args = ["sql", rows, "--memory", "128MB", "--format", format.name()];
        let (most, printed) = peak(&sealed, &args);
        let least = if format == pmtaq_render::Format::Parquet { MB } else { 30 * MB };
        assert!(printed as u64 > least, "{format}: {printed} bytes printed");
        assert!(most > 10 * MB, "{format}: {most} bytes were measured");
        assert!(most < 160 * MB, "{format} took {} MB", most / MB);
    }
}

#[test]
fn a_question_ends_when_its_time_is_over_before_and_among_its_rows_at_scale() {
    let sealed = Sealed::of_samples();
    for statement in [
        "select count(*) from range(100000000000) t(a) where hash(a) = 1",
        "select range from range(100000000000)",
    ] {
        let file = sealed.file("answer.csv", "old");
        let args = ["sql", statement, "--timeout", "1s", "-o", file.to_str().unwrap()];
        let run = sealed.run(&[&args[..], &["--format", "csv"]].concat());
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("this took longer than 1 s"), "{run:?}");
        assert!(run.stderr.contains("--timeout"), "{run:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
    }
    sealed.file("etc/pmtaq.toml", "timeout = 'soon'\n");
    let run = sealed.run(&["providers"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("`soon` is not a valid duration"), "{run:?}");
}

#[test]
fn what_does_not_fit_into_memory_goes_to_a_folder_up_to_a_size_and_nothing_stays_there_at_scale() {
    let sealed = Sealed::of_samples();
    let folder = sealed.file("room/left", "").parent().unwrap().to_owned();
    // Of a process that was killed: no process has the highest number there is.
    let killed = folder.join("pmtaq-spill-4194304");
    std::fs::create_dir(&killed).unwrap();
    let sorted = "select h, md5(range::varchar) || md5((range + 7)::varchar) || \
                  md5((range + 9)::varchar) t \
                  from (select hash(range) h, range from range(700000)) order by t";
    let ask = |more: &[&str]| {
        let args = ["sql", sorted, "--memory", "60MB", "--format", "csv", "-o", "/dev/null"];
        sealed.run(&[&args[..], more].concat())
    };
    let spill = ["--spill", folder.to_str().unwrap()];
    let run = ask(&[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("--spill"), "{run:?}");
    let run = ask(&spill);
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = ask(&[&spill[..], &["--spill-size", "5MB"]].concat());
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("--spill-size"), "{run:?}");
    assert!(!killed.exists());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "only the file that was there");
}

#[test]
fn what_looks_after_a_store_keeps_within_its_memory_and_too_little_is_refused_at_scale() {
    let sealed = Sealed::new();
    for file in 0..3 {
        let row = |n: u32| {
            let second = format!("{:02}:{:02}:{:02}", n / 3600 % 24, n / 60 % 60, n % 60);
            let hash = n.wrapping_mul(2_654_435_761);
            // Each domain by itself is a row of every hour of the rollup.
            let domain = n % 20_000;
            format!(
                "d,2026-03-01 {second}+0000,bounce+{hash}@example.com,u{n}-{file}@d{domain}.example,\
                 250 2.0.0 ok {hash} queued as {n}-{file}\n"
            )
        };
        let rows: String = (0..80_000).map(row).collect();
        let text = format!("type,timeLogged,orig,rcpt,dsnDiag\n{rows}");
        let path = sealed.file(&format!("{file}.csv"), text);
        sealed.done(&["ingest", "-q", path.to_str().unwrap()]);
    }
    let forget = ["forget", "-q", "--rcpt", "u7-1@d7.example", "--yes"];
    for args in [&["verify"][..], &forget, &["compact"]] {
        let run = sealed.run(&[args, &["--memory", "64MB"]].concat());
        let refused = format!("{} cannot do with 64 MB of memory", args[0]);
        assert!(run.code == Some(2) && run.stderr.contains(&refused), "{run:?}");
    }
    let run = sealed.run(&["compact", "--memory", "64MB"]);
    let (_, least) = run.stderr.split_once("hint: `--memory ").unwrap();
    let (least, _) = least.split_once("MB` is the least").unwrap();
    let memory = format!("{least}MB");
    let least: u64 = least.parse().unwrap();
    for args in [&["verify", "-q"][..], &forget, &["compact", "-q"], &["verify", "-q"]] {
        let (most, _) = peak(&sealed, &[args, &["--memory", &memory]].concat());
        assert!(most < (least + 10) * MB, "{args:?}: {} MB of {memory}", most / MB);
    }
    assert_eq!(sealed.number("select count(*) from records"), 239_999);
    assert_eq!(sealed.number("select sum(records) from hourly"), 239_999);
}
