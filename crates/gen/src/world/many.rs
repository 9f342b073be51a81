//! What there is many of: pools, VirtualMTAs, senders and the long tail of recipient domains, made
//! by rule. Knows names and numbers, not what anybody says.

use super::{Sender, Size, Verp, Vmta, World};
use crate::rng::{Rng, mix};

const WORDS: &[&str] = &[
    "amber", "anchor", "birch", "bridge", "cedar", "delta", "ember", "falcon", "grove", "harbor",
    "iris", "jasper", "kestrel", "linden", "maple", "nova", "orchid", "pine", "quartz", "river",
    "stone", "tulip", "umber", "velvet", "willow", "yarrow", "zephyr", "summit", "meadow",
    "copper",
];
const SYLLABLES: [&str; 32] = [
    "ba", "ber", "cal", "co", "dan", "del", "el", "fa", "fin", "gra", "hal", "in", "ka", "kor",
    "la", "lin", "ma", "mer", "nor", "ol", "pa", "per", "ra", "ri", "sa", "sol", "ta", "tec", "ur",
    "val", "vi", "zen",
];
const ENDINGS: &[&str] = &[
    "com", "com", "com", "net", "org", "de", "de", "fr", "co.uk", "it", "nl", "es", "com.br", "pl",
    "ch", "com.au",
];

/// How many of everything there are in all, those of data/world.txt among them.
struct Many {
    hosts: usize,
    pools: usize,
    vmtas: usize,
    /// VirtualMTAs with an IPv6 address beside the other.
    with_ip6: usize,
    senders: usize,
    job_hours: i64,
}

impl World {
    /// Adds what data/world.txt is too short for, and settles who is where.
    pub(super) fn grow(&mut self, size: Size) {
        match size {
            Size::Small => self.add_tail(1100, 6000, worded),
            Size::Sender => {
                self.add(&Many {
                    hosts: 1,
                    pools: 6,
                    vmtas: 24,
                    with_ip6: 24,
                    senders: 40,
                    job_hours: 4,
                });
                self.add_people();
            }
            Size::Esp => {
                self.add(&Many {
                    hosts: 4,
                    pools: 60,
                    vmtas: 300,
                    with_ip6: 200,
                    senders: 2000,
                    job_hours: 12,
                });
                self.add_people();
            }
        }
        self.settle();
    }

    fn add(&mut self, many: &Many) {
        let (old_pools, old_vmtas) = (self.pools.len(), self.vmtas.len());
        let (pools, vmtas) = (many.pools - old_pools, many.vmtas - old_vmtas);
        for pool in 0..pools {
            self.pools.push(format!("pool-{:02}", pool + 1));
            for n in pool * vmtas / pools..(pool + 1) * vmtas / pools {
                self.vmtas.push(Vmta {
                    name: format!("vmta-{:02}-{}", pool + 1, n - pool * vmtas / pools + 1),
                    pool: (old_pools + pool) as u16,
                    host: 0,
                    ip4: format!("198.51.{}.{}", 100 + n / 250, 1 + n % 250),
                    ip6: Some(format!("2001:db8:{:x}::{:x}", 0x30 + n / 16, 0x10 + n % 16)),
                });
            }
        }
        for (n, vmta) in self.vmtas.iter_mut().enumerate() {
            vmta.host = (n % many.hosts) as u16;
            vmta.ip6 = vmta.ip6.take().filter(|_| n < many.with_ip6);
        }
        // A third of the pools are those of the largest senders, the others are shared.
        let own_pools = pools / 3;
        for n in 0..many.senders - self.senders.len() {
            let mut rng = Rng::new(mix(n as u64, 0x5e9d));
            let brand = format!("{}{}", syllables(2, &mut rng), n + 1);
            let domain = match rng.below(3) {
                0 => format!("{brand}.mailings.example"),
                1 => format!("bounce.{brand}.{}", ending(&mut rng)),
                _ => format!("em.news.{brand}.{}", ending(&mut rng)),
            };
            let pool = if n < own_pools { n } else { own_pools + rng.below(pools - own_pools) };
            let verp = match rng.below(20) {
                0..8 => Verp::Classic,
                8..14 => Verp::Plus,
                14..17 => Verp::Prvs,
                _ => Verp::Plain,
            };
            self.sender_shares.push(1 + (2400 / (n + 10)) as u32, self.senders.len() as u16);
            self.senders.push(Sender {
                domain,
                pool: (old_pools + pool) as u16,
                verp,
                is_api: rng.chance(2500),
                user: brand,
            });
        }
        self.hosts = many.hosts as u16;
        self.job_hours = many.job_hours;
        self.add_tail(3000, 200_000, spoken);
    }

    /// Gives each domain its recipients, who are written to again and again.
    fn add_people(&mut self) {
        let tail = self.domains.len() - 200_000;
        for (n, domain) in self.domains.iter_mut().enumerate() {
            domain.people =
                Some(if n < tail { 400_000 } else { 10 + 100_000 / (n - tail + 1) as u32 });
        }
    }
}

/// `amber-birch17.com`
fn worded(n: usize, rng: &mut Rng) -> String {
    let words = WORDS.len();
    let (first, second) = (WORDS[n % words], WORDS[n / words % words]);
    format!("{first}-{second}{}.{}", n / (words * words) + 10, ending(rng))
}

/// `kamertec.fr`
fn spoken(_: usize, rng: &mut Rng) -> String {
    let count = 3 + rng.below(3);
    let name = syllables(count, rng);
    format!("{name}.{}", ending(rng))
}

fn syllables(count: usize, rng: &mut Rng) -> String {
    (0..count).map(|_| SYLLABLES[rng.below(SYLLABLES.len())]).collect()
}

fn ending(rng: &mut Rng) -> &'static str {
    ENDINGS[rng.below(ENDINGS.len())]
}
