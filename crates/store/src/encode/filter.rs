//! Which texts a row group has in a column, as a Bloom filter of the Parquet format: who looks for one passes over
//! the row groups that have not got it. Knows no page.

use parquet::bloom_filter::Sbbf;
use pmtaq_schema::address::in_lower_case;

use crate::table::ROW_GROUP_ROWS;

/// The texts so far.
pub(super) struct Filter {
    texts: Sbbf,
    share_of_others: f64,
    /// Whether each stands for its lower case too.
    is_of_any_case: bool,
}

impl Filter {
    /// Without any. Of texts that it has not got, it may seem to have this share.
    pub(super) fn new(share_of_others: f64, is_of_any_case: bool) -> Filter {
        // Eight bits for each row, if each has its own.
        let texts = Sbbf::new_with_num_of_bytes(ROW_GROUP_ROWS);
        Filter { texts, share_of_others, is_of_any_case }
    }

    /// Adds a text. Of any case it is found as it is spelt, and in lower case by who does not know how.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.texts.insert(text);
        if self.is_of_any_case
            && let lower = in_lower_case(text)
            && *lower != *text
        {
            self.texts.insert(&*lower);
        }
    }

    /// The filter, no larger than it has to be for the texts that it has. Begins anew.
    pub(super) fn finish(&mut self) -> Sbbf {
        let next = Filter::new(self.share_of_others, self.is_of_any_case);
        let Filter { mut texts, share_of_others, .. } = std::mem::replace(self, next);
        texts.fold_to_target_fpp(share_of_others);
        texts
    }
}
