//! The filters by name: the one table from which the command line, its help, rules of alerts and the
//! commands that are shown to be copied take them.

/// A filter by one dimension.
#[derive(Debug)]
pub struct Filter {
    /// Its name: `--domain` on the command line; where it has one dimension also a short name of that.
    pub name: &'static str,
    /// What its values are compared with: a dimension, or `code`, where the value says which of two
    /// ([`crate::dimension_of`]).
    pub dimension: &'static str,
    /// What a value is.
    pub value: &'static str,
    /// What it is about.
    pub help: &'static str,
}

const fn filter(
    name: &'static str,
    dimension: &'static str,
    value: &'static str,
    help: &'static str,
) -> Filter {
    Filter { name, dimension, value, help }
}

/// All filters, in the order of the help.
pub const FILTERS: &[Filter] = &[
    filter("domain", "rcpt_domain", "DOMAIN", "Recipient domain, also as *.example.com"),
    filter("provider", "provider", "NAME", "Mailbox provider"),
    filter("vmta", "vmta", "NAME", "VirtualMTA"),
    filter("pool", "vmta_pool", "NAME", "VirtualMTA pool"),
    filter("ip", "dlv_source_ip", "IP", "Source address of the delivery"),
    filter("sender", "sender_domain", "DOMAIN", "Sender domain"),
    filter("job", "job_id", "ID", "Job"),
    filter("host", "host", "NAME", "MTA that wrote the record"),
    filter("category", "bounce_cat", "NAME", "Bounce category"),
    filter("code", CODE, "CODE", "Reply code or enhanced code, such as 550, 5.7.1 or 5.7.*"),
];

/// What the filter of two dimensions is compared with: the reply code or the enhanced code.
pub(crate) const CODE: &str = "code";
