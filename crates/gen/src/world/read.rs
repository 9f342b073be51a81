//! Reads data/world.txt, whose first lines describe it. Knows keys and values, not what they do.

use super::{Feedback, Mx, Operator, Sender, Size, Verp, Vmta, World};
use crate::rng::Weighted;

const TEXT: &str = include_str!("../../data/world.txt");
/// What receivers of larger worlds say in addition.
const MORE: &str = include_str!("../../data/more.txt");

/// The world, or what is wrong in which line of its text.
pub(super) fn world(size: Size) -> Result<World, String> {
    let mut world = World::empty();
    parse("data/world.txt", TEXT, &mut world)?;
    if size != Size::Small {
        parse("data/more.txt", MORE, &mut world)?;
    }
    world.grow(size);
    Ok(world)
}

fn parse(name: &str, text: &str, world: &mut World) -> Result<(), String> {
    // The operator that lines are about.
    let mut at = None;
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        entry(world, &mut at, key, value).map_err(|what| format!("{name}:{}: {what}", n + 1))?;
    }
    Ok(())
}

fn entry(world: &mut World, at: &mut Option<usize>, key: &str, value: &str) -> Result<(), String> {
    let mut words = value.split(' ');
    let mut word = || words.next().filter(|word| !word.is_empty()).ok_or("a word is missing");
    match key {
        "operator" => {
            *at = Some(world.operators.len());
            world.operators.push(Operator { name: value.to_owned(), ..Operator::default() });
        }
        "again" => *at = world.operators.iter().position(|other| other.name == value),
        "planted" => {
            let name = word()?.to_owned();
            let reply = world.reply(value.trim_start_matches(name.as_str()))?;
            world.planted.push((name, reply));
        }
        "rb" | "rs" => {
            let (weight, reply) = weighted(world, value)?;
            match key {
                "rb" => world.remote_bounces.push(weight, reply),
                _ => world.remote_statuses.push(weight, reply),
            }
        }
        "pool" => world.pools.push(value.to_owned()),
        "vmta" => {
            let pool = (world.pools.len() - 1) as u16;
            let (name, ip4, ip6) = (word()?.to_owned(), word()?.to_owned(), word()?.to_owned());
            world.vmtas.push(Vmta { name, pool, host: 0, ip4, ip6: Some(ip6) });
        }
        "sender" => {
            world.sender_shares.push(count(word()?)?, world.senders.len() as u16);
            let domain = word()?.to_owned();
            let pool = word()?;
            let pool = world.pools.iter().position(|other| other == pool).ok_or("no such pool")?;
            let verp = match word()? {
                "verp" => Verp::Classic,
                "plus" => Verp::Plus,
                "prvs" => Verp::Prvs,
                "plain" => Verp::Plain,
                other => return Err(format!("unknown VERP {other}")),
            };
            let is_api = word()? == "api";
            let user = word()?.to_owned();
            world.senders.push(Sender { domain, pool: pool as u16, verp, is_api, user });
        }
        _ => return operator_entry(world, at.ok_or("no operator yet")?, key, value),
    }
    Ok(())
}

/// A line about the operator number `at`.
fn operator_entry(world: &mut World, at: usize, key: &str, value: &str) -> Result<(), String> {
    let mut words = value.split(' ');
    let mut word = || words.next().ok_or("a word is missing");
    match key {
        "like" => {
            let model = world.operators.iter().find(|other| other.name == value);
            let model = model.ok_or("no such operator")?.clone();
            let operator = &mut world.operators[at];
            let name = std::mem::take(&mut operator.name);
            *operator = Operator {
                name,
                domains: Weighted::new(),
                mx: Vec::new(),
                hosts: 0,
                rollup: None,
                ..model
            };
        }
        "share" => world.shares.push(count(value)?, Some(at as u16)),
        "domain" => {
            let weight = count(word()?)?;
            let name = word()?;
            let (name, ascii) = name.split_once('=').unwrap_or((name, name));
            let domain = world.add_domain(name, ascii, at as u16, false);
            world.operators[at].domains.push(weight, domain);
        }
        "mx" => {
            let (name, net4) = (word()?.to_owned(), word()?.to_owned());
            let net6 = word().ok().map(str::to_owned);
            world.operators[at].mx.push(Mx { name, net4, net6 });
        }
        "accept" => {
            let (weight, text) = value.split_once(' ').ok_or("expected WEIGHT TEXT")?;
            let reply = world.reply(&format!("| 2.0.0 (success) | {text}"))?;
            world.operators[at].accepted.push(count(weight)?, reply);
        }
        "t" | "b" => {
            let (weight, reply) = weighted(world, value)?;
            let operator = &mut world.operators[at];
            match key {
                "t" => operator.deferred.push(weight, reply),
                _ => operator.bounced.push(weight, reply),
            }
        }
        "fbl" => {
            let mut parts = value.split('|').map(|part| part.trim().to_owned());
            let mut part = || parts.next().ok_or("a part is missing");
            world.operators[at].feedback = Some(Feedback {
                format: part()?,
                kind: part()?,
                agent: part()?,
                reporter: part()?,
                ip: part()?.replace("{num:2}", "14"),
            });
        }
        _ => {
            let operator = &mut world.operators[at];
            match key {
                "hosts" => operator.hosts = count(value)?,
                "rollup" => operator.rollup = Some(value.to_owned()),
                "esmtp" => operator.esmtp = format!("\"{value}\""),
                "tls" => operator.tls = Some((word()?.to_owned(), word()?.to_owned())),
                "deferral" => operator.deferral = count(value)?,
                "bounce" => operator.bounce = count(value)?,
                "clear" if value == "b" => operator.bounced = Weighted::new(),
                "complaint" => operator.complaint = count(value)?,
                _ => return Err(format!("unknown key {key}")),
            }
        }
    }
    Ok(())
}

fn weighted(world: &mut World, value: &str) -> Result<(u32, u16), String> {
    let (weight, reply) = value.split_once(' ').ok_or("expected WEIGHT REPLY")?;
    Ok((count(weight)?, world.reply(reply)?))
}

fn count(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_is_read_and_everybody_can_answer() {
        let world = world(Size::Esp).unwrap();
        for name in
            ["throttled", "blocked", "blocked-hosted", "expired", "no-answer", "refused", "deleted"]
        {
            world.planted(name);
        }
        for operator in &world.operators {
            let is_typo = operator.name == "typo";
            assert!(!operator.bounced.is_empty(), "{}", operator.name);
            assert!(is_typo || !operator.accepted.is_empty(), "{}", operator.name);
            assert!(is_typo || !operator.unknown.is_empty(), "{}", operator.name);
        }
        assert!(world.domains.iter().all(|domain| !domain.hosts.is_empty()));
        assert!(world.senders.iter().all(|sender| !world.vmtas_of(sender.pool).is_empty()));
    }

    #[test]
    fn an_operator_is_like_another_but_for_what_it_says_itself() {
        let world = world(Size::Small).unwrap();
        let of = |name| world.operators.iter().find(|other| other.name == name).unwrap();
        let (gmail, workspace) = (of("gmail"), of("workspace"));
        assert!(workspace.accepted.iter().eq(gmail.accepted.iter()));
        assert_eq!((gmail.bounce, workspace.bounce), (90, 160));
        let own: Vec<u16> = of("microsoft365").bounced.iter().collect();
        assert!(of("microsoft").bounced.iter().all(|reply| !own.contains(&reply)));
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let error = |text| parse("data/world.txt", text, &mut World::empty()).err().unwrap();
        assert_eq!(error("share 3"), "data/world.txt:1: no operator yet");
        assert_eq!(error("operator a\ncolour red"), "data/world.txt:2: unknown key colour");
        assert_eq!(error("operator a\nb 1 x | y | 550 {z}"), "data/world.txt:2: unknown hole {z}");
    }
}
