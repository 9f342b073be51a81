-- Recipients that were tried in a period, by what became of them in it. One that was deferred and
-- then delivered counts as delivered, and one with a bounce as bounced.
-- Most recipients have one record, a delivery. So deliveries are counted as records, leaf by leaf,
-- and recipients are told apart by numbers, of which those of any other kind are left.
with tried as (
    select
        period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
        carried,
        hash(period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried)
            as leaf,
        hash(message_key >> 32, time_queued) as message, rec, bounce_cat, bounce_class
    from records
    -- What an operator deleted is in no rate.
    where (rec in ('d', 'b', 't')) is true and bounce_class is distinct from 'administrative'
),
-- Both in one pass, since to read the records is the larger part.
counted as materialized (
    select
        period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried, leaf,
        grouping(message) = 1 as is_leaf,
        count(*) filter (rec = 'd') as n_deliveries,
        -- Type and category of the least record that is no delivery, in one text, since few have
        -- any: bounces come before deferrals, and any category before none.
        min(rec || coalesce(' ' || bounce_cat, '~')) filter (rec <> 'd') as refusal,
        min(bounce_class) filter (rec = 'b') as class
    from tried
    group by grouping sets (
        (leaf, period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried),
        (leaf, message)
    )
    having grouping(message) = 1 or n_deliveries <> 1 or refusal < 'd'
),
told as (
    select
        leaf, 'delivered' as kind, null as category,
        case when is_leaf then n_deliveries else -n_deliveries end as n
    from counted
    union all
    select
        leaf,
        case
            when refusal < 'd' and ($class is null or class = $class) then 'bounced'
            when refusal < 'd' then 'aside'
            when n_deliveries = 0 then 'held'
            else 'delivered'
        end as kind,
        case when kind <> 'delivered' and refusal[2] = ' ' then refusal[3:] end as category,
        1 as n
    from counted
    where not is_leaf
),
summed as (
    select leaf, kind, category, sum(n)::bigint as n
    from told
    group by all
    having sum(n) > 0
)
select
    period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried, kind,
    category, n
from summed join (from counted where is_leaf) using (leaf)
-- In order, so that what is told of two that say the same does not depend on threads.
order by all
