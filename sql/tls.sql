-- name: tls
-- title: Encryption of deliveries
-- help: Deliveries by TLS protocol and cipher, those in plaintext among them; with `--by day`, `--by provider` or any other dimension the shares of each protocol, and with `--downgrades` the domains whose servers once took a better protocol than later.
-- help: Deliveries by SMTP (d records; not those to a pipe, a file or discard). Weak is: plaintext; an old protocol (SSL, TLS 1.0, TLS 1.1); a broken cipher (RC4, DES, 3DES, NULL, export, MD5, anonymous); no forward secrecy (TLS 1.2 without an ephemeral key). A downgrade is a delivery to a domain and MX by a lower protocol than one before it in the window.
-- needs: d
-- uses: dlv_tls_protocol, dlv_tls_cipher
-- param: by dimension  Count by this instead of protocol and cipher
-- param: weak flag  Only what is weak
-- param: downgrades flag  Show downgrades
-- param: top int = 20  Rows to show, 0 for all
-- column: delivered count
-- column: share percent of total
-- column: total count
-- column: domains count
-- column: plaintext percent of delivered
-- column: tls12 percent of delivered
-- column: tls13 percent of delivered
-- column: older percent of delivered
-- column: weak percent of delivered
-- column: downgraded count
-- column: first_seen time
-- column: last_seen time
-- chart: bars protocol delivered
-- see: providers
with judged as (
    select
        coalesce(dlv_tls_protocol, case when $known_tls_rate then '(plaintext)' else '(none logged)' end) as protocol,
        coalesce(dlv_tls_cipher, '(none)') as cipher,
        case when $known_tls_rate or dlv_tls_protocol is not null then weakness(dlv_tls_protocol, dlv_tls_cipher) end as weakness,
        sum(delivered)::bigint as delivered,
        count(distinct rcpt_domain) as domains,
        max(last_seen) as last_seen
    from (
        -- Names are judged once, and not in each delivery.
        select dlv_tls_protocol, dlv_tls_cipher, rcpt_domain, count(*) as delivered, max(time_logged) as last_seen
        from deliveries
        where coalesce(dlv_type, 'smtp') not in ('pipe', 'file', 'discard')
        group by all
    )
    group by all
)
select protocol, cipher, delivered, share, total, domains, weakness, last_seen
from (select *, case when $known_tls_rate then 100.0 * delivered / sum(delivered) over () end as share, sum(delivered) over ()::bigint as total from judged)
where $weak is not true or weakness is not null
order by delivered desc, protocol, cipher
limit case when $top = 0 then 9223372036854775807 else $top end
-- given: downgrades
with spoken as not materialized (
    select
        rcpt_domain,
        coalesce(mx, '(none)') as mx,
        coalesce(dlv_tls_protocol, '(plaintext)') as protocol,
        time_logged
    from deliveries
    where coalesce(dlv_type, 'smtp') not in ('pipe', 'file', 'discard')
),
levels as (
    select rcpt_domain, mx, protocol, tls_level(nullif(protocol, '(plaintext)')) as level, first_seen
    from (select rcpt_domain, mx, protocol, min(time_logged) as first_seen from spoken group by all)
),
better as (
    select
        rcpt_domain, mx, protocol,
        min(first_seen) over (best range between unbounded preceding and 1 preceding) as since,
        first_value(protocol) over (partition by rcpt_domain, mx order by level desc, protocol) as was
    from levels
    window best as (partition by rcpt_domain, mx order by level desc)
    qualify since is not null
)
select
    rcpt_domain,
    mx,
    was,
    protocol as became,
    count(*) as downgraded,
    min(time_logged) as first_seen,
    max(time_logged) as last_seen
from spoken join better using (rcpt_domain, mx, protocol)
where time_logged > since
group by all
order by downgraded desc, rcpt_domain, mx, became
limit case when $top = 0 then 9223372036854775807 else $top end
-- given: by
with judged as (
    select by() as key, tls_level(dlv_tls_protocol) as level, weakness(dlv_tls_protocol, dlv_tls_cipher) as weakness
    from deliveries
    where coalesce(dlv_type, 'smtp') not in ('pipe', 'file', 'discard')
)
select
    coalesce(key, '(none)') as "by",
    count(*) as delivered,
    case when $known_tls_rate then 100.0 * count(*) filter (level = 5) / count(*) end as tls13,
    case when $known_tls_rate then 100.0 * count(*) filter (level = 4) / count(*) end as tls12,
    case when $known_tls_rate then 100.0 * count(*) filter (level between 1 and 3) / count(*) end as older,
    case when $known_tls_rate then 100.0 * count(*) filter (level = 0) / count(*) end as plaintext,
    case when $known_tls_rate then 100.0 * count(weakness) / count(*) end as weak
from judged
group by key
having $weak is not true or count(weakness) > 0
order by delivered desc, "by"
limit case when $top = 0 then 9223372036854775807 else $top end
