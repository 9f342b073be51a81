-- Deliveries, those of the kind that is asked about told apart; `marked` says which they are, and
-- nothing of a delivery that cannot be told.
select
    period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
    case when marked then 'marked' else 'delivered' end as kind, null as category, count(*) as n
from records
where rec = 'd' and marked is not null
group by all
