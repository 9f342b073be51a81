-- What was delivered in the time before the end of a period that its complaints are about.
select
    period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
    'delivered' as kind, null as category, count(*) as n
from records
where rec = 'd'
group by all
