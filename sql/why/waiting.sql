-- Recipients in the queue: how many waited at the end of a period and at its begin, came in and
-- went out. `since` and `until` are those of the period; the records reach two hours before it, and
-- behind each period as far as behind the others, so that as much is known of each.
with told as (
    select
        period, since, until, provider, sender_domain, vmta_pool, vmta, job_id, rec, rcpt_domain,
        time_logged, hash(rcpt) as recipient,
        case rec when 'r' then time_logged else time_queued end as queued
    from records
    where (rec in ('r', 'd', 'b', 't')) is true
),
finished as (
    from told where rec in ('d', 'b') and queued is not null
),
deferred as (
    -- They were deferred, and not finished as far as is known.
    select
        period, since, until, recipient, queued,
        arg_max(provider, time_logged) as provider,
        arg_max(sender_domain, time_logged) as sender_domain,
        arg_max(vmta_pool, time_logged) as vmta_pool,
        arg_max(vmta, time_logged) as vmta,
        arg_max(job_id, time_logged) as job_id
    from (from told where rec = 't') anti join finished using (period, recipient, queued)
    where queued is not null
    group by period, since, until, recipient, queued
),
tried as (
    select period, recipient, max(time_logged) as latest
    from told
    where rec <> 'r'
    group by period, recipient
),
hosts as (
    select rcpt_domain, min(provider) as provider from told where rec <> 'r' group by rcpt_domain
),
received as (
    -- They came in, and nobody has tried them since. An `r` record has seen no mail server.
    select
        period, since, until, coalesce(hosts.provider, told.provider) as provider, sender_domain,
        vmta_pool, case when vmta is distinct from vmta_pool then vmta end as vmta, job_id, queued
    from told
    left join tried using (period, recipient)
    left join hosts using (rcpt_domain)
    where rec = 'r' and (latest is null or latest < time_logged)
),
stays as (
    select
        period, since, until, provider, sender_domain, vmta_pool, vmta, job_id,
        queued as came, time_logged as went
    from finished
    union all by name
    select
        period, since, until, provider, sender_domain, vmta_pool, vmta, job_id,
        queued as came, null as went
    from deferred
    union all by name
    select
        period, since, until, provider, sender_domain, vmta_pool, vmta, job_id,
        queued as came, null as went
    from received
),
summed as (
    select
        period, provider, sender_domain, vmta_pool, vmta, job_id,
        count(*) filter (came < until and (went is null or went >= until)) as waiting,
        count(*) filter (came < since and (went is null or went >= since)) as waited_before,
        count(*) filter (came >= since and came < until) as came_in,
        count(*) filter (went >= since and went < until and came < until) as went_out
    from stays
    group by all
)
from (
    select
        period, provider, sender_domain, vmta_pool, vmta, null as dlv_source_ip, job_id,
        unnest(['waiting', 'waited-before', 'came-in', 'went-out']) as kind, null as category,
        unnest([waiting, waited_before, came_in, went_out]) as n
    from summed
)
where n > 0
