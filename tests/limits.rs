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
fn no_format_keeps_the_rows_that_it_writes() {
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
