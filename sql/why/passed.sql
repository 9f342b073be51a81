-- Recipients that came into the queue and left it in the same period, of those that count.
select
    period, provider, sender_domain, vmta_pool, vmta, null as dlv_source_ip, job_id,
    unnest(['came-in', 'went-out']) as kind, null as category, n
from (
    select period, provider, sender_domain, vmta_pool, vmta, job_id, count(*) as n
    from records
    where (rec in ('d', 'b')) is true and is_asked and time_queued >= since and time_queued < until
    group by all
)
