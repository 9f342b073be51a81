-- Complaints, with what their delivery adds: an `f` record says little of its message.
select
    period() as period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
    'complained' as kind, null as category, count(*) as n
from returns
-- In one expression with the record type, so that the engine reads no time of others before.
where rec = 'f' and case when rec = 'f' then period() is not null end
group by all
