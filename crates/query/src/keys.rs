//! The keys of messages, read without the engine: of a row group at a time, and of its other columns nothing. Knows
//! no question.

use arrow::array::AsArray;
use arrow::datatypes::{Field, Int32Type, UInt64Type};
use pmtaq_schema::Record;
use pmtaq_store::PartFooter;

/// Hands the key of each record of some types in a row group to `take`, with its number in the group; none where the part
/// cannot be read.
pub(crate) fn each_key(
    footer: &PartFooter,
    group: usize,
    types: &[Record],
    mut take: impl FnMut(usize, u64),
) -> Option<()> {
    let is_one = |rec: Option<&str>| types.iter().any(|of| rec == Some(of.as_str()));
    let is_read = |column: &Field| ["rec", "message_key"].contains(&column.name().as_str());
    let mut begin = 0;
    for batch in footer.group(group, is_read).ok()? {
        let batch = batch.ok()?;
        let recs = batch["rec"].as_dictionary::<Int32Type>();
        let is_of_type: Vec<bool> = recs.values().as_string::<i32>().iter().map(is_one).collect();
        // A row group says its first type and its last one, which complaints may lie between; the dictionary has all.
        if !is_of_type.contains(&true) {
            break;
        }
        let keys = batch["message_key"].as_primitive::<UInt64Type>();
        for (row, (rec, key)) in recs.keys().iter().zip(keys).enumerate() {
            if let (Some(rec), Some(key)) = (rec, key)
                && is_of_type[rec as usize]
            {
                take(begin + row, key);
            }
        }
        begin += batch.num_rows();
    }
    Some(())
}
