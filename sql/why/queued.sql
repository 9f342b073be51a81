-- Recipients handed to PMTA, where it logs no `r` records: those of which an attempt was logged,
-- by the time at which they were queued, which is what `period` goes by here. Leaves and recipients
-- are told apart by numbers.
select
    first(period) as period, first(provider) as provider, first(sender_domain) as sender_domain,
    first(vmta_pool) as vmta_pool, first(vmta) as vmta, null as dlv_source_ip,
    first(job_id) as job_id, 'injected' as kind, null as category,
    count(distinct hash(message_key >> 32, time_queued)) as n
from records
where (rec in ('d', 'b', 't')) is true and period is not null
group by hash(period, provider, sender_domain, vmta_pool, vmta, job_id)
