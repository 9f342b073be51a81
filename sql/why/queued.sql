-- Recipients handed to PMTA, where it logs no `r` records: those of which an attempt was logged,
-- by the time at which they were queued, which is what `period` goes by here.
with queued as (
    select
        period, provider, sender_domain, vmta_pool, vmta, job_id,
        hash(rcpt, time_queued) as message
    from records
    where rec in ('d', 'b', 't')
    group by all
)
select
    period, provider, sender_domain, vmta_pool, vmta, null as dlv_source_ip, job_id,
    'injected' as kind, null as category, count(*) as n
from queued
where period is not null
group by all
