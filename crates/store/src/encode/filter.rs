//! Which texts a row group has in a column, as a Bloom filter of the Parquet format: who looks for one passes over
//! the row groups that have not got it. Knows no page.

use parquet::bloom_filter::Sbbf;
use pmtaq_schema::address::in_lower_case;

use crate::table::ROW_GROUP_ROWS;

/// The texts so far.
pub(super) struct Filter {
    texts: Sbbf,
    share_of_others: f64,
}

impl Filter {
    /// Without any. Of texts that it has not got, it may seem to have this share.
    pub(super) fn new(share_of_others: f64) -> Filter {
        // Eight bits for each row, if each has its own.
        Filter { texts: Sbbf::new_with_num_of_bytes(ROW_GROUP_ROWS), share_of_others }
    }

    /// Adds a text, and in lower case too: it is found as it is spelt and by who does not know how.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.texts.insert(text);
        let lower = in_lower_case(text);
        if *lower != *text {
            self.texts.insert(&*lower);
        }
    }

    /// The filter, no larger than it has to be for the texts that it has. Begins anew.
    pub(super) fn finish(&mut self) -> Sbbf {
        let Filter { mut texts, share_of_others } =
            std::mem::replace(self, Filter::new(self.share_of_others));
        texts.fold_to_target_fpp(share_of_others);
        texts
    }
}
