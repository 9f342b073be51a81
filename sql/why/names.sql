-- The names of the dimensions that other statements have as numbers: to group by texts and to hand
-- them over takes several times as long. All dimensions in one pass: each would be a scan by itself.
with names as (
    select provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id
    from records
    group by grouping sets (
        (provider), (sender_domain), (vmta_pool), (vmta), (dlv_source_ip), (job_id)
    )
),
told as (
    select
        unnest([
            'provider', 'sender_domain', 'vmta_pool', 'vmta', 'dlv_source_ip', 'job_id'
        ]) as dim,
        unnest([provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id]) as name
    from names
)
select dim, name, hash(name) as number
from told
where name is not null
