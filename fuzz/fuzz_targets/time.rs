//! A time that is read is printed and read again as the same; any second in range is printed so
//! that it is read. Knows no file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pmtaq_schema::Timestamp;

fuzz_target!(|field: &[u8]| {
    if let Some(time) = Timestamp::parse(field) {
        assert_eq!(Timestamp::parse(time.to_string().as_bytes()), Some(time));
        assert!((0..86_400).contains(&(time.0 - time.day().start().0)));
        assert_eq!(time.millis(), time.0 * 1000);
        // The spelling of PMTA's own.
        let text = time.to_string().replace('T', " ").replace('Z', "+0000");
        assert_eq!(Timestamp::parse(text.as_bytes()), Some(time));
    }
    if let Some((bytes, offset)) = field.split_first_chunk::<4>() {
        // 1990 to 2100, at any offset that there is.
        let time = Timestamp(631_152_000 + i64::from(u32::from_le_bytes(*bytes)) % 3_471_292_800);
        assert_eq!(Timestamp::parse(time.0.to_string().as_bytes()), Some(time));
        let minutes = offset.first().map_or(0, |byte| i64::from(*byte) * 5 % 1440 - 720);
        let local = Timestamp(time.0 + minutes * 60).to_string();
        let (sign, east) = if minutes < 0 { ('-', -minutes) } else { ('+', minutes) };
        let local = local.replace('Z', &format!("{sign}{:02}{:02}", east / 60, east % 60));
        if let Some(read) = Timestamp::parse(local.replace('T', " ").as_bytes()) {
            assert_eq!(read, time, "{local}");
        } else {
            assert!(!(631_238_400..4_102_358_400).contains(&time.0), "not read: {local}");
        }
    }
});
