-- Recipients that waited in the queue at the begin of a period or at its end, and which of them came
-- in and went out. Those that did both in it are in `passed.sql`. `since` and `until` are those of the
-- period; the records reach two hours before it, and behind each period as far as behind the others, so
-- that as much is known of each. They are those of all, of which `is_asked` tells whose recipients count.
with finished as not materialized (
    select period, message_key, time_queued as queued
    from records
    where (rec in ('d', 'b')) is true
),
retried as materialized (
    select period, message_key, time_queued as queued
    from records
    where rec = 't' and is_asked and time_queued is not null
    group by all
),
held as materialized (
    -- They were deferred, and not finished as far as is known.
    from retried
    -- With a condition over them the engine keeps a filter of the keys, and reads the times of few others.
    anti join (from finished where message_key in (select message_key from retried where queued is not null)) finished
        using (period, message_key, queued)
),
deferred as (
    select
        period, since, until, message_key, queued as came,
        arg_max(provider, time_logged) as provider,
        arg_max(sender_domain, time_logged) as sender_domain,
        arg_max(vmta_pool, time_logged) as vmta_pool,
        arg_max(vmta, time_logged) as vmta,
        arg_max(job_id, time_logged) as job_id
    from (select *, time_queued as queued from records where rec = 't' and is_asked) semi join held using (period, message_key, queued)
    group by period, since, until, message_key, queued
),
uneven as materialized (
    -- Most receptions have a record of their recipient, queued at that time: where the sums of their keys are
    -- equal, by hours, MTAs and parts of the keys, all that were received have.
    select hash(period, stretch(host, queued, message_key)) as stretch
    from (
        select period, host, message_key, time_logged as queued, summand(message_key) as difference
        from records
        where rec = 'r'
        union all
        select period, host, message_key, time_queued, -summand(message_key)
        from records
        where (rec in ('d', 'b')) is true and time_queued <= time_logged
    )
    group by 1
    having sum(difference) <> 0
),
left_over as materialized (
    select period, message_key, time_logged as came
    from records
    where rec = 'r' and is_asked and hash(period, stretch(host, time_logged, message_key)) in (select stretch from uneven)
),
tried as (
    select later.period, later.message_key, max(later.time_logged) as latest
    from records later join left_over
        on later.period = left_over.period and later.message_key = left_over.message_key and later.time_logged >= left_over.came
    where (later.rec in ('d', 'b', 't')) is true
    group by later.period, later.message_key
),
untried as materialized (
    select period, message_key, came
    from left_over left join tried using (period, message_key)
    where latest is null or latest < came
),
received as materialized (
    -- They came in, and nobody has tried them since.
    select period, since, until, provider, sender_domain, vmta_pool, vmta, job_id, rcpt_domain, came
    from (
        select *, time_logged as came
        from records
        where rec = 'r' and is_asked and message_key in (select message_key from untried where came is not null)
    )
    semi join untried using (period, message_key, came)
),
hosts as (
    -- An `r` record has seen no mail server.
    select rcpt_domain, min(provider) as provider
    from records
    where rec <> 'r' and is_asked and rcpt_domain in (select rcpt_domain from received)
    group by rcpt_domain
),
stays as (
    select
        period, since, until, provider, sender_domain, vmta_pool, vmta, job_id,
        time_queued as came, time_logged as went
    from records
    where
        (rec in ('d', 'b')) is true and is_asked and time_logged >= since and time_queued < until
        and (time_queued < since or time_logged >= until)
    union all by name
    select
        period, since, until, provider, sender_domain, vmta_pool, vmta, job_id, came, null as went
    from deferred
    union all by name
    select
        period, since, until, coalesce(hosts.provider, received.provider) as provider, sender_domain,
        vmta_pool, case when vmta is distinct from vmta_pool then vmta end as vmta, job_id, came, null as went
    from received left join hosts using (rcpt_domain)
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
