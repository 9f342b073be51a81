//! Bounce categories and the class that each belongs to. A category may be any text: sites add
//! their own by `bounce-category-patterns`.

use std::collections::BTreeMap;

/// What a bounce says about the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BounceClass {
    /// The address will never work: the only class that belongs on a suppression list.
    Hard,
    /// The address may work later.
    Soft,
    /// The receiver refused us, not the recipient.
    Block,
    /// Nothing follows for the recipient.
    Undetermined,
    /// An operator ended the message: it says nothing of the recipient, and is in no rate.
    Administrative,
}

impl BounceClass {
    /// All classes.
    pub const ALL: [BounceClass; 5] = [
        BounceClass::Hard,
        BounceClass::Soft,
        BounceClass::Block,
        BounceClass::Undetermined,
        BounceClass::Administrative,
    ];

    /// The value of the column `bounce_class`.
    pub const fn as_str(self) -> &'static str {
        match self {
            BounceClass::Hard => "hard",
            BounceClass::Soft => "soft",
            BounceClass::Block => "block",
            BounceClass::Undetermined => "undetermined",
            BounceClass::Administrative => "administrative",
        }
    }

    /// The class of that name.
    pub fn parse(name: &str) -> Option<BounceClass> {
        BounceClass::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// The categories of the `PowerMTA` User's Guide, and `spam-block` of older versions, with the
/// class of each and what it means.
#[rustfmt::skip]
pub const CATEGORIES: &[(&str, BounceClass, &str)] = &[
    ("bad-mailbox", BounceClass::Hard, "the mailbox does not exist"),
    ("inactive-mailbox", BounceClass::Hard, "the mailbox exists and is not used any more"),
    ("bad-domain", BounceClass::Hard, "the domain does not exist or takes no mail"),
    ("quota-issues", BounceClass::Soft, "the mailbox is full"),
    ("no-answer-from-host", BounceClass::Soft, "the receiver could not be reached"),
    ("relaying-issues", BounceClass::Soft, "the receiver does not relay for this domain"),
    ("routing-errors", BounceClass::Soft, "the way to the receiver is broken"),
    ("bad-connection", BounceClass::Soft, "the connection broke"),
    ("message-expired", BounceClass::Soft, "the message stayed in the queue for too long"),
    ("protocol-errors", BounceClass::Soft, "the SMTP dialogue went wrong"),
    ("spam-related", BounceClass::Block, "refused as spam"),
    ("policy-related", BounceClass::Block, "refused by the receiver's policy"),
    ("content-related", BounceClass::Block, "refused for what the message holds"),
    ("virus-related", BounceClass::Block, "refused as a virus"),
    ("spam-block", BounceClass::Block, "the sender is blocked as a spammer"),
    ("other", BounceClass::Undetermined, "none of the others"),
    ("invalid-sender", BounceClass::Undetermined, "the envelope sender was refused"),
    ("bad-configuration", BounceClass::Undetermined, "the receiver is set up wrongly"),
];

/// Whether a category says that there was no bounce, as PMTA 4 files deliveries.
pub fn is_success(bounce_cat: &str) -> bool {
    bounce_cat.eq_ignore_ascii_case("success")
}

/// The class of a category, whose case does not matter; what is not in [`CATEGORIES`] is undetermined.
pub fn bounce_class(bounce_cat: &str) -> BounceClass {
    CATEGORIES
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(bounce_cat))
        .map_or(BounceClass::Undetermined, |&(_, class, _)| class)
}

/// The classes of a site: those of [`bounce_class`] and what it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BounceClasses {
    own: BTreeMap<String, BounceClass>,
}

impl BounceClasses {
    /// Gives a category the class that it has at this site.
    pub fn set(&mut self, bounce_cat: &str, class: BounceClass) {
        self.own.insert(bounce_cat.to_owned(), class);
    }

    /// What the site says otherwise, in the order of the categories.
    pub fn own(&self) -> impl Iterator<Item = (&str, BounceClass)> {
        self.own.iter().map(|(category, class)| (category.as_str(), *class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_site_holds() {
        let mut site = BounceClasses::default();
        site.set("relaying-issues", BounceClass::Soft);
        site.set("relaying-issues", BounceClass::Hard);
        site.set("our-own", BounceClass::Block);
        let own: Vec<_> = site.own().collect();
        assert_eq!(own, [("our-own", BounceClass::Block), ("relaying-issues", BounceClass::Hard)]);
    }

    #[test]
    fn a_block_is_never_hard_and_the_unknown_is_undetermined() {
        assert_eq!(bounce_class("bad-mailbox"), BounceClass::Hard);
        assert_eq!(bounce_class("Spam-Related"), BounceClass::Block);
        assert_eq!(bounce_class("our-own-category"), BounceClass::Undetermined);
        assert_eq!(bounce_class(""), BounceClass::Undetermined);
        assert_eq!(CATEGORIES.len(), 18);
    }
}
