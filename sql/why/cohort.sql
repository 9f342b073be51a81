-- What was delivered in the time before the end of a period that its complaints are about. Such times
-- overlap, so that each stretch between two of their ends is counted once.
with counted as (
    select
        stretch, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, count(*) as n
    from records
    where rec = 'd'
    group by all
)
select
    period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
    'delivered' as kind, null as category, sum(n)::bigint as n
from counted join (values stretches()) as of_period(stretch, period) using (stretch)
group by all
