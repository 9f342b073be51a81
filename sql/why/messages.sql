-- Recipients that were tried in a period, by what became of them in it. One that was deferred and
-- then delivered counts as delivered: 'b' < 'd' < 't', and the least of its records says it.
with tried as (
    select
        period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
        hash(rcpt, time_queued) as message,
        min(rec) as outcome,
        min(bounce_cat) filter (rec = 'b') as bounced_for,
        min(bounce_cat) filter (rec = 't') as held_for,
        min(bounce_class) filter (rec = 'b') as class
    from records
    where rec in ('d', 'b', 't')
    group by all
)
select
    period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
    case
        when outcome = 'd' then 'delivered'
        when outcome = 't' then 'held'
        when $class is null or class = $class then 'bounced'
        else 'aside'
    end as kind,
    case outcome when 'b' then bounced_for when 't' then held_for end as category,
    count(*) as n
from tried
group by all
union all
select
    period, provider, sender_domain, null, null, null, null, 'remote', bounce_cat, count(*)
from records
where rec = 'rb' and ($class is null or bounce_class = $class)
group by all
