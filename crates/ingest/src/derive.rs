//! The derived columns of a line. Pure calls into the schema, each made once for what repeats:
//! what follows from a name is remembered by the key of that name.

use std::borrow::Cow;

use pmtaq_schema::address::is_normal_domain;
use pmtaq_schema::bounce::{BounceClass, bounce_class, is_success};
use pmtaq_schema::columns::index_of;
use pmtaq_schema::origin::BounceOrigin;
use pmtaq_schema::provider::{ProviderField, Providers};
use pmtaq_schema::reply::Reply;
use pmtaq_schema::site::KeptDimensions;
use pmtaq_schema::template::template_of;
use pmtaq_schema::{Record, address};
use pmtaq_store::NO_NAME;

use crate::checked::Checked;
use crate::intern::{Memo, NameColumn, Names, Pending};
use crate::plan::Plan;
use crate::privacy::{Person, Privacy};
use crate::rows::CellColumn;
use crate::split::{Field, Lines, Place};

const REC: usize = index_of("rec");
const HOST: usize = index_of("host");
const SENDER_DOMAIN: usize = index_of("sender_domain");
const RCPT_DOMAIN: usize = index_of("rcpt_domain");
const PROVIDER: usize = index_of("provider");
const SMTP_CODE: usize = index_of("smtp_code");
const ENHANCED_CODE: usize = index_of("enhanced_code");
const TEMPLATE: usize = index_of("template");
const BOUNCE_CLASS: usize = index_of("bounce_class");
const BOUNCE_ORIGIN: usize = index_of("bounce_origin");
const MX: usize = index_of("mx");
const SOURCE: usize = index_of("source");
const ORIG: usize = index_of("orig");
const RCPT: usize = index_of("rcpt");
const QUEUE: usize = index_of("queue");
const DSN_MTA: usize = index_of("dsn_mta");
const DSN_DIAG: usize = index_of("dsn_diag");
const DSN_STATUS: usize = index_of("dsn_status");
const BOUNCE_CAT: usize = index_of("bounce_cat");
const USER_STRING: usize = index_of("user_string");

/// What a record does not say and the run knows.
pub(crate) struct SourceFacts<'k> {
    pub(crate) providers: &'k Providers,
    /// Name of the source.
    pub(crate) source: &'k str,
    /// The MTA that the user named, or none.
    pub(crate) host: Option<&'k str>,
    /// The machine, for lines that name no MTA.
    pub(crate) machine: &'k str,
    /// How the addresses of recipients are stored.
    pub(crate) privacy: &'k Privacy,
    /// The dimensions of the site that `hourly` keeps.
    pub(crate) kept: &'k KeptDimensions,
}

/// Lines that are being added as rows.
pub(crate) struct Added<'a, 'l> {
    /// The number of the first row.
    pub(crate) first: usize,
    pub(crate) lines: Lines<'a, 'l>,
    /// Where their fields are.
    pub(crate) places: &'a [Place],
    pub(crate) checked: &'a [Checked],
    pub(crate) plan: &'a Plan,
    pub(crate) known: &'a SourceFacts<'a>,
    /// The recipients of each row, where their addresses are replaced; else nothing.
    pub(crate) people: &'a [Vec<Person>],
}

/// What was derived from the names of one row group so far.
#[derive(Default)]
pub(crate) struct Derive {
    /// By record type.
    rec: Memo,
    /// By key of `user_string`, shifted by one: 0 is none.
    host: Memo,
    sender_domains: Domains,
    rcpt_domains: Domains,
    /// By key of `dsn_mta`.
    mx: Memo,
    /// By key of `bounce_cat`, shifted by one: 0 is no category.
    bounce_class: Memo,
    /// By origin.
    bounce_origin: Memo,
    /// By question, and by the key of the name that it is asked with.
    providers: [Memo; Providers::QUESTIONS.len()],
    text: String,
}

impl Derive {
    /// Memory of what was derived so far, about.
    pub(crate) fn bytes(&self) -> usize {
        self.sender_domains.spellings.bytes() + self.rcpt_domains.spellings.bytes()
    }

    /// Adds the derived columns of rows whose other columns are there.
    pub(crate) fn rows(&mut self, added: &Added<'_, '_>, columns: &mut [CellColumn]) {
        let Added { first, lines, places, checked, plan, known, people } = *added;
        let rows = || checked.iter().enumerate().map(|(i, checked)| (first + i, checked));
        let field = |row: usize, column: usize| match plan.sources[column] {
            Some(field) => lines.field(places[row - first], field),
            None => Field::EMPTY,
        };
        for (row, checked) in rows() {
            let rec = self.rec.get(checked.record as u32, || {
                names(columns, REC).names.key(checked.record.as_str().as_bytes())
            });
            names(columns, REC).set_key(row, rec);
        }
        let source = names(columns, SOURCE).names.key(known.source.as_bytes());
        for (row, _) in rows() {
            names(columns, SOURCE).set_key(row, source);
            self.host(row, known, columns);
        }
        let mut pending = Vec::new();
        let all = |column: usize| rows().map(move |(row, _)| field(row, column));
        self.sender_domains.set(first, all(ORIG), names(columns, SENDER_DOMAIN), &mut pending);
        self.rcpt_domains.set(first, all(RCPT), names(columns, RCPT_DOMAIN), &mut pending);
        for (row, _) in rows() {
            self.mx(row, columns);
            self.provider(row, known, columns);
        }
        for (row, checked) in rows() {
            let text = |column: usize| match plan.sources[column] {
                Some(field) => lines.get(checked.line).text(field),
                None => Cow::Borrowed(""),
            };
            let (dsn_diag, dsn_status) = (text(DSN_DIAG), text(DSN_STATUS));
            let reply = Reply::parse(&dsn_diag, &dsn_status);
            if !dsn_diag.is_empty() || !dsn_status.is_empty() {
                self.reply(row, &reply, &dsn_status, columns);
                if let Some(people) = people.get(row - first) {
                    known.privacy.template(&mut self.text, people);
                }
                self.template(row, columns);
            }
            let record = checked.record;
            if record == Record::Delivery {
                no_success(names(columns, BOUNCE_CAT), row);
            }
            let origin = BounceOrigin::of(record, &dsn_diag, &dsn_status, &reply);
            let origin = origin.filter(|&origin| {
                !dsn_diag.is_empty()
                    || origin == BounceOrigin::Operator
                    || nobody_replied(row, record, plan, columns)
            });
            if let Some(origin) = origin {
                self.bounce_origin(row, origin, columns);
            }
            if matches!(record, Record::Bounce | Record::Deferral | Record::RemoteBounce) {
                self.bounce_class(row, origin, columns);
            }
        }
    }

    fn host(&mut self, row: usize, known: &SourceFacts<'_>, columns: &mut [CellColumn]) {
        let user_string = names(columns, USER_STRING).key_at(row);
        let host = self.host.get(user_string.wrapping_add(1), || {
            let name = match (known.host, user_string) {
                (Some(host), _) => host.to_owned(),
                (None, NO_NAME) => known.machine.to_owned(),
                (None, key) => text_of(columns, USER_STRING, key),
            };
            names(columns, HOST).names.key(name.as_bytes())
        });
        names(columns, HOST).set_key(row, host);
    }

    fn mx(&mut self, row: usize, columns: &mut [CellColumn]) {
        let dsn_mta = names(columns, DSN_MTA).key_at(row);
        if dsn_mta != NO_NAME {
            let text = &mut self.text;
            let mx = self.mx.get(dsn_mta, || {
                text.clear();
                let dsn_mta = names(columns, DSN_MTA).names.get(dsn_mta);
                address::normal_domain(address::mx_host(dsn_mta).0, text);
                key_of(text, &mut names(columns, MX).names)
            });
            names(columns, MX).set_key(row, mx);
        }
    }

    fn provider(&mut self, row: usize, known: &SourceFacts<'_>, columns: &mut [CellColumn]) {
        for ((asked, answer), answers) in Providers::QUESTIONS.iter().zip(&mut self.providers) {
            let column = match asked {
                ProviderField::Queue => QUEUE,
                ProviderField::Server => DSN_MTA,
                ProviderField::RcptDomain => RCPT_DOMAIN,
            };
            let name = names(columns, column).key_at(row);
            if name == NO_NAME {
                continue;
            }
            let provider = answers.get(name, || {
                let said = answer(known.providers, &text_of(columns, column, name));
                key_of(&said.unwrap_or_default(), &mut names(columns, PROVIDER).names)
            });
            if provider != NO_NAME {
                return names(columns, PROVIDER).set_key(row, provider);
            }
        }
    }

    fn bounce_origin(&mut self, row: usize, origin: BounceOrigin, columns: &mut [CellColumn]) {
        let key = self.bounce_origin.get(origin as u32, || {
            names(columns, BOUNCE_ORIGIN).names.key(origin.as_str().as_bytes())
        });
        names(columns, BOUNCE_ORIGIN).set_key(row, key);
    }

    fn bounce_class(
        &mut self,
        row: usize,
        origin: Option<BounceOrigin>,
        columns: &mut [CellColumn],
    ) {
        if origin == Some(BounceOrigin::Operator) {
            let class = BounceClass::Administrative.as_str();
            names(columns, BOUNCE_CLASS).set(row, class.as_bytes());
            return;
        }
        let category = names(columns, BOUNCE_CAT).key_at(row);
        let class = self.bounce_class.get(category.wrapping_add(1), || {
            let class = match category {
                NO_NAME => bounce_class(""),
                key => bounce_class(&text_of(columns, BOUNCE_CAT, key)),
            };
            names(columns, BOUNCE_CLASS).names.key(class.as_str().as_bytes())
        });
        names(columns, BOUNCE_CLASS).set_key(row, class);
    }

    fn reply(
        &mut self,
        row: usize,
        reply: &Reply<'_>,
        dsn_status: &str,
        columns: &mut [CellColumn],
    ) {
        if let Some(code) = reply.smtp_code {
            columns[SMTP_CODE].set_number(row, code.into());
        }
        if let Some(code) = reply.enhanced_code {
            names(columns, ENHANCED_CODE).set(row, code.as_bytes());
        }
        self.text.clear();
        template_of(reply, dsn_status, &mut self.text);
    }

    fn template(&mut self, row: usize, columns: &mut [CellColumn]) {
        if !self.text.is_empty() {
            names(columns, TEMPLATE).set(row, self.text.as_bytes());
        }
    }
}

/// The domains of addresses.
#[derive(Default)]
struct Domains {
    /// Ends of addresses that are not in the form that is compared.
    spellings: Names,
    /// By spelling, the key of the domain in that form.
    normal: Memo,
}

impl Domains {
    /// Adds the domains of `addresses` to `column`, from the row numbered `first` on.
    fn set<'l>(
        &mut self,
        first: usize,
        addresses: impl Iterator<Item = Field<'l>>,
        column: &mut NameColumn,
        pending: &mut Vec<Pending<'l>>,
    ) {
        for (row, address) in (first..).zip(addresses) {
            match address.plain().map(behind_at) {
                Some(domain) if is_normal_domain(domain) => column.begin(row, domain, pending),
                _ => self.set_other(row, &address.value(), column),
            }
        }
        column.end(pending);
    }

    #[cold]
    fn set_other(&mut self, row: usize, address: &[u8], column: &mut NameColumn) {
        // What stands before the last `@` does not matter.
        let Some(at) = memchr::memrchr(b'@', address) else { return };
        let spelling = self.spellings.key(&address[at..]);
        let key = self.normal.get(spelling, || {
            let mut normal = String::new();
            if let Some(domain) = address::domain_of(&address[at..]) {
                address::normal_domain(domain, &mut normal);
            }
            key_of(&normal, &mut column.names)
        });
        column.set_key(row, key);
    }
}

/// What stands behind the last `@`, if anything.
fn behind_at(address: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', address).map_or(&[], |at| &address[at + 1..])
}

/// Takes the category of a delivery away where it only says that it was one.
fn no_success(categories: &mut NameColumn, row: usize) {
    let key = categories.key_at(row);
    let is_it = |name: &[u8]| std::str::from_utf8(name).is_ok_and(is_success);
    if key != NO_NAME && is_it(categories.names.get(key)) {
        categories.unset(row);
    }
}

/// Whether a record without a diagnostic has none because nobody replied: the field is logged, and no
/// receiver is named.
fn nobody_replied(row: usize, record: Record, plan: &Plan, columns: &mut [CellColumn]) -> bool {
    record == Record::RemoteBounce
        || plan.sources[DSN_DIAG].is_some() && names(columns, DSN_MTA).key_at(row) == NO_NAME
}

/// The key of a name, or of none when it is empty.
fn key_of(name: &str, names: &mut Names) -> u32 {
    if name.is_empty() { NO_NAME } else { names.key(name.as_bytes()) }
}

fn text_of(columns: &mut [CellColumn], column: usize, key: u32) -> String {
    String::from_utf8_lossy(names(columns, column).names.get(key)).into_owned()
}

/// A column of which the schema says that it holds names.
fn names(columns: &mut [CellColumn], column: usize) -> &mut NameColumn {
    match &mut columns[column] {
        CellColumn::Names(names) => names,
        CellColumn::Texts(_)
        | CellColumn::Numbers(_)
        | CellColumn::Hashes(_)
        | CellColumn::Map(_) => {
            unreachable!("only columns of names are asked for")
        }
    }
}
