-- Complaints, with what their delivery adds: an `f` record says little of its message.
select
    period() as period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
    'complained' as kind, null as category, count(*) as n
from returns
where rec = 'f' and period() is not null
group by all
