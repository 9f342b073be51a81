-- The names of the dimensions that other statements have as numbers: to group by texts and to hand
-- them over takes several times as long.
with names as (
    select 'provider' as dim, provider as name from records
    union all select 'sender_domain', sender_domain from records
    union all select 'vmta_pool', vmta_pool from records
    union all select 'vmta', vmta from records
    union all select 'dlv_source_ip', dlv_source_ip from records
    union all select 'job_id', job_id from records
)
select dim, name, hash(name) as number
from names
where name is not null
group by all
