//! What a session may use: time, memory, and a folder for what does not fit.

use std::time::Duration;

use pmtaq_query::{Error, Limits, Session};

use crate::fixture::{Stored, lines, sql};

const MB: u64 = 1_000_000;

/// What no engine does in a minute.
const ENDLESS: &str = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b";

/// A sort of 160 MB.
const LARGE: &str = "select count(*), max(length(t)) > 60 from (
    select repeat(hash(range)::varchar, 4) as t from range(2000000) order by hash(range) limit 1900000)";

#[test]
fn a_query_that_takes_too_long_ends_and_the_next_one_has_its_own_time() {
    let stored = Stored::day();
    let timeout = Some(Duration::from_millis(400));
    let session = stored.within(&Limits { timeout, ..Limits::new(2, 500 * MB) });
    for endless in [ENDLESS, "pivot (select range from range(10000000000)) on range using count(*)"]
    {
        let error = sql(&session, endless).expect_err("too long");
        assert!(matches!(error, Error::Timeout(time) if Some(time) == timeout), "{error}");
        assert_eq!(error.to_string(), "this took longer than 0.4 s");
        assert_eq!(sql(&session, "select count(*) from records").expect("an answer"), ["15"]);
    }
    let endless = session.adhoc(ENDLESS).expect("a statement");
    let user = session.interrupt();
    let stopper = std::thread::spawn(move || {
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(10));
            user.interrupt();
        }
    });
    let error = lines(&session, &endless).expect_err("stopped");
    assert!(matches!(error, Error::Interrupted), "{error}");
    stopper.join().expect("no panic");
}

#[test]
fn what_does_not_fit_into_memory_spills_into_its_folder_up_to_a_cap_at_scale() {
    let stored = Stored::day();
    let folder = stored.dir().join("spill");
    std::fs::create_dir(&folder).expect("a folder");
    let within = |spill: Option<u64>| {
        let spill = spill.map(|bytes| (folder.clone(), bytes));
        stored.within(&Limits { spill, ..Limits::new(2, 40 * MB) })
    };
    let answer = |session: &Session| sql(session, LARGE);
    let error = answer(&within(None)).expect_err("too large");
    assert!(matches!(error, Error::Memory(_)), "{error}");
    let error = answer(&within(Some(10 * MB))).expect_err("too large for the folder");
    assert!(matches!(error, Error::Memory(_)), "{error}");
    let session = within(Some(1000 * MB));
    assert_eq!(answer(&session).expect("an answer"), ["1900000 | true"]);
    drop(session);
    let left = |folder: &std::path::Path| {
        #[expect(clippy::disallowed_methods, reason = "a test looks at what is left")]
        let entries = std::fs::read_dir(folder).expect("the folder");
        entries.count()
    };
    assert_eq!(left(&folder), 0);
    // The wall is as high as without.
    let session = within(Some(1000 * MB));
    for text in ["select * from read_text('/etc/passwd')", "set temp_directory = '/tmp'"] {
        assert!(sql(&session, text).is_err(), "{text}");
    }
}
