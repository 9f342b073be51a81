//! The receivers and senders of the generated world. Knows who they are and what they answer, not
//! when.

mod many;
mod read;

use crate::reply::Ending;
use crate::rng::{Rng, Weighted, mix};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// 6 sender domains, 9 VirtualMTAs in 3 pools, 6,000 recipient domains; a header of 39 fields.
    #[default]
    Small,
    /// One sender of some size: 40 sender domains, 24 VirtualMTAs, 200,000 recipient domains.
    Sender,
    /// Who sends for others: 2,000 sender domains, 300 VirtualMTAs in 60 pools on four hosts, 500
    /// source addresses, 200,000 recipient domains, 3,000 jobs a day.
    Esp,
}

/// Everybody.
pub(crate) struct World {
    /// MTAs that write accounting files.
    pub(crate) hosts: u16,
    /// Hours of one job of a sender.
    pub(crate) job_hours: i64,
    pub(crate) operators: Vec<Operator>,
    pub(crate) domains: Vec<Domain>,
    /// Bounce categories; the first is none.
    pub(crate) categories: Vec<String>,
    pub(crate) replies: Vec<Ending>,
    pub(crate) vmtas: Vec<Vmta>,
    pub(crate) pools: Vec<String>,
    pub(crate) senders: Vec<Sender>,
    pub(crate) sender_shares: Weighted<u16>,
    pub(crate) remote_bounces: Weighted<u16>,
    pub(crate) remote_statuses: Weighted<u16>,
    /// Who runs the domains that are named, and none for the long tail.
    shares: Weighted<Option<u16>>,
    /// The domains of the long tail, the second half as frequent as the first, and so on (Zipf).
    tail: Weighted<u32>,
    planted: Vec<(String, u16)>,
    /// The VirtualMTAs of each pool.
    of_pool: Vec<std::ops::Range<usize>>,
}

/// Who runs mailboxes.
#[derive(Clone, Default)]
pub(crate) struct Operator {
    pub(crate) name: String,
    pub(crate) rollup: Option<String>,
    /// `dlvEsmtpAvailable`, in quotes.
    pub(crate) esmtp: String,
    pub(crate) tls: Option<(String, String)>,
    pub(crate) accepted: Weighted<u16>,
    /// Probabilities in parts of 10,000.
    pub(crate) deferral: u32,
    pub(crate) bounce: u32,
    pub(crate) complaint: u32,
    pub(crate) deferred: Weighted<u16>,
    pub(crate) bounced: Weighted<u16>,
    /// Those of `bounced` that say that there is no such mailbox.
    pub(crate) unknown: Weighted<u16>,
    pub(crate) feedback: Option<Feedback>,
    domains: Weighted<u32>,
    mx: Vec<Mx>,
    hosts: u32,
}

/// How an operator reports complaints.
#[derive(Clone)]
pub(crate) struct Feedback {
    pub(crate) format: String,
    pub(crate) kind: String,
    pub(crate) agent: String,
    pub(crate) reporter: String,
    pub(crate) ip: String,
}

#[derive(Clone)]
struct Mx {
    name: String,
    net4: String,
    net6: Option<String>,
}

/// A recipient domain.
pub(crate) struct Domain {
    /// In lower case, as it is written.
    pub(crate) name: String,
    /// As A-labels (RFC 5891).
    pub(crate) ascii: String,
    pub(crate) operator: u16,
    pub(crate) hosts: Vec<Host>,
    /// Nobody ever answers there.
    pub(crate) is_dead: bool,
    /// How many recipients there are; none where each message has its own.
    pub(crate) people: Option<u32>,
}

/// A mail server.
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) ip4: String,
    pub(crate) ip6: Option<String>,
}

/// A sending identity.
pub(crate) struct Vmta {
    pub(crate) name: String,
    pub(crate) pool: u16,
    pub(crate) host: u16,
    pub(crate) ip4: String,
    pub(crate) ip6: Option<String>,
}

/// Who sends.
pub(crate) struct Sender {
    pub(crate) domain: String,
    pub(crate) pool: u16,
    pub(crate) verp: Verp,
    /// Handed over by the API, without job, with a pool in the place of the VirtualMTA.
    pub(crate) is_api: bool,
    /// `rcvSmtpUser`, and the first word of the jobs.
    pub(crate) user: String,
}

/// How the envelope sender tells the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verp {
    /// `b-471-3758238=example.com@`
    Classic,
    /// `bounces+471-8a3f-stone.3758238=example.com@`
    Plus,
    /// `msprvs1=20512abcdef=bounces-471@`
    Prvs,
    /// `noreply@`
    Plain,
}

impl World {
    pub(crate) fn new(size: Size) -> World {
        read::world(size).expect("a test reads data/world.txt")
    }

    /// A recipient domain, the frequent ones most often.
    pub(crate) fn draw_domain(&self, rng: &mut Rng) -> u32 {
        match self.shares.draw(rng).flatten() {
            Some(operator) => {
                self.operators[usize::from(operator)].domains.draw(rng).unwrap_or_default()
            }
            None => self.tail.draw(rng).unwrap_or_default(),
        }
    }

    pub(crate) fn operator(&self, domain: u32) -> &Operator {
        &self.operators[usize::from(self.domains[domain as usize].operator)]
    }

    /// What incidents and PowerMTA itself say.
    pub(crate) fn planted(&self, name: &str) -> u16 {
        let found = self.planted.iter().find(|(other, _)| other == name);
        found.expect("a test asks for every planted reply").1
    }

    /// The identities of a pool.
    pub(crate) fn vmtas_of(&self, pool: u16) -> std::ops::Range<usize> {
        self.of_pool[usize::from(pool)].clone()
    }

    fn empty() -> World {
        World {
            hosts: 1,
            job_hours: 4,
            operators: Vec::new(),
            domains: Vec::new(),
            categories: vec![String::new()],
            replies: Vec::new(),
            vmtas: Vec::new(),
            pools: Vec::new(),
            senders: Vec::new(),
            sender_shares: Weighted::new(),
            remote_bounces: Weighted::new(),
            remote_statuses: Weighted::new(),
            shares: Weighted::new(),
            tail: Weighted::new(),
            planted: Vec::new(),
            of_pool: Vec::new(),
        }
    }

    /// Remembers `CATEGORY | STATUS | TEXT`.
    fn reply(&mut self, text: &str) -> Result<u16, String> {
        let mut parts = text.splitn(3, '|').map(str::trim);
        let (Some(category), Some(status), Some(text)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err("expected CATEGORY | STATUS | TEXT".to_owned());
        };
        let known = self.categories.iter().position(|other| other == category);
        let category = known.unwrap_or_else(|| {
            self.categories.push(category.to_owned());
            self.categories.len() - 1
        });
        self.replies.push(Ending::new(category as u16, status, text)?);
        Ok(self.replies.len() as u16 - 1)
    }

    /// Adds `count` domains of the long tail, each with one who hosts it, to which `share` of the
    /// recipients go, in parts of 10,000 of the others.
    fn add_tail(&mut self, share: u32, count: usize, name_of: impl Fn(usize, &mut Rng) -> String) {
        self.shares.push(share, None);
        let mut hosting = Weighted::new();
        for (i, operator) in self.operators.iter().enumerate() {
            hosting.push(operator.hosts, i as u16);
        }
        for n in 0..count {
            let mut rng = Rng::new(mix(n as u64, 0x7a11));
            let name = name_of(n, &mut rng);
            let operator = hosting.draw(&mut rng).unwrap_or_default();
            let is_dead = self.operators[usize::from(operator)].name == "own" && rng.chance(150);
            let domain = self.add_domain(&name, &name, operator, is_dead);
            self.tail.push((1_000_000 / (n + 1)) as u32, domain);
        }
    }

    fn add_domain(&mut self, name: &str, ascii: &str, operator: u16, is_dead: bool) -> u32 {
        self.domains.push(Domain {
            name: name.to_owned(),
            ascii: ascii.to_owned(),
            operator,
            hosts: Vec::new(),
            is_dead,
            people: None,
        });
        self.domains.len() as u32 - 1
    }

    /// Gives each domain its mail servers, and each operator what it says of an unknown mailbox.
    fn settle(&mut self) {
        for (n, domain) in self.domains.iter_mut().enumerate() {
            let mx = &self.operators[usize::from(domain.operator)].mx;
            domain.hosts =
                mx.iter().enumerate().map(|(i, mx)| mx.host(&domain.ascii, n as u64, i)).collect();
        }
        let pools = 0..self.pools.len();
        let of = |pool| {
            let begin = self.vmtas.partition_point(|vmta| usize::from(vmta.pool) < pool);
            begin..self.vmtas.partition_point(|vmta| usize::from(vmta.pool) <= pool)
        };
        self.of_pool = pools.map(of).collect();
        let unknown = self.categories.iter().position(|category| category == "bad-mailbox");
        for operator in &mut self.operators {
            for reply in operator.bounced.iter() {
                if Some(usize::from(self.replies[usize::from(reply)].category)) == unknown {
                    operator.unknown.push(1, reply);
                }
            }
        }
    }
}

impl Mx {
    /// The mail server number `i` of domain number `n`.
    fn host(&self, domain: &str, n: u64, i: usize) -> Host {
        let last = 10 + mix(n, i as u64) % 200;
        // Where two numbers are given of the network, the domain chooses the third.
        let third = match self.net4.matches('.').count() {
            2 => format!("{}.", mix(n, 9) % 250),
            _ => String::new(),
        };
        Host {
            name: self
                .name
                .replace("{dashed}", &domain.replace('.', "-"))
                .replace("{rcptdomain}", domain)
                .replace("{hash}", &format!("{:06x}", mix(n, 5) % (1 << 24))),
            ip4: format!("{}{third}{last}", self.net4),
            ip6: self.net6.as_ref().map(|net| format!("{net}{:x}", last % 30 + 0x1a)),
        }
    }
}
