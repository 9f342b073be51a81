//! Bounce categories and the class that each belongs to. A category may be any text: sites add
//! their own by `bounce-category-patterns`.

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
}

impl BounceClass {
    /// All classes.
    pub const ALL: [BounceClass; 4] =
        [BounceClass::Hard, BounceClass::Soft, BounceClass::Block, BounceClass::Undetermined];

    /// The value of the column `bounce_class`.
    pub const fn as_str(self) -> &'static str {
        match self {
            BounceClass::Hard => "hard",
            BounceClass::Soft => "soft",
            BounceClass::Block => "block",
            BounceClass::Undetermined => "undetermined",
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

/// The class of a category; what is not in [`CATEGORIES`] is undetermined.
pub fn bounce_class(bounce_cat: &str) -> BounceClass {
    CATEGORIES
        .iter()
        .find(|(name, ..)| *name == bounce_cat)
        .map_or(BounceClass::Undetermined, |&(_, class, _)| class)
}

/// The classes of a site: those of [`bounce_class`] and what it says otherwise.
#[derive(Clone, Debug, Default)]
pub struct BounceClasses {
    overrides: Vec<(String, BounceClass)>,
}

/// A line that gives no category its class.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: `{text}` is not `category = class` with class hard, soft, block or undetermined"
)]
pub struct BadClass {
    /// Line number, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

impl BounceClasses {
    /// Reads overrides: one `category = class` a line, `#` begins a comment, later lines win.
    ///
    /// # Errors
    /// The first line of another form.
    pub fn parse(text: &str) -> Result<BounceClasses, BadClass> {
        let mut overrides = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let pair =
                line.split_once('=').map(|(category, class)| (category.trim(), class.trim()));
            let class = pair.and_then(|(_, class)| BounceClass::parse(class));
            let (Some((category, _)), Some(class)) = (pair, class) else {
                return Err(BadClass { line: number + 1, text: line.to_owned() });
            };
            overrides.push((category.to_owned(), class));
        }
        Ok(BounceClasses { overrides })
    }

    /// The class of a category at this site.
    pub fn class_of(&self, bounce_cat: &str) -> BounceClass {
        let own = self.overrides.iter().rev().find(|(category, _)| category == bounce_cat);
        own.map_or_else(|| bounce_class(bounce_cat), |&(_, class)| class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_may_say_otherwise() {
        let site = BounceClasses::parse(
            "# ours\nrelaying-issues = hard\nour-own = soft # for now\nour-own=block\n",
        )
        .expect("three overrides");
        assert_eq!(site.class_of("relaying-issues"), BounceClass::Hard);
        assert_eq!(site.class_of("our-own"), BounceClass::Block);
        assert_eq!(site.class_of("bad-mailbox"), BounceClass::Hard);
        let error = BounceClasses::parse("\nour-own = hardest\n").expect_err("no such class");
        assert_eq!(error, BadClass { line: 2, text: "our-own = hardest".to_owned() });
    }

    #[test]
    fn a_block_is_never_hard_and_the_unknown_is_undetermined() {
        assert_eq!(bounce_class("bad-mailbox"), BounceClass::Hard);
        assert_eq!(bounce_class("spam-related"), BounceClass::Block);
        assert_eq!(bounce_class("our-own-category"), BounceClass::Undetermined);
        assert_eq!(bounce_class(""), BounceClass::Undetermined);
        assert_eq!(CATEGORIES.len(), 18);
    }
}
