-- Recipients that were tried in a period, by what became of them in it. One that was deferred and
-- then delivered counts as delivered, and one with a bounce as bounced. Of a leaf and a kind there may
-- be several rows, which add up.
with tried as not materialized (
    select
        period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id,
        carried,
        hash(period, message_key >> 32, time_queued) as message, rec, bounce_cat, bounce_class
    from records
    -- What an operator deleted is in no rate.
    where (rec in ('d', 'b', 't')) is true and bounce_class is distinct from 'administrative'
),
-- Most recipients have one record, a delivery. Which have another is told by a few narrow columns, and
-- only these are told apart below: all others are counted as records, leaf by leaf. Two types by name, so that
-- row groups of deliveries are not even looked at.
several as (
    select distinct message, message as number from tried where rec = 'b' or rec = 't'
),
counted as (
    select
        period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried, number,
        count(*) filter (rec = 'd') as n_deliveries,
        -- Type and category of the least record that is no delivery, in one text, since few have
        -- any: bounces come before deferrals, and any category before none.
        min(case when rec <> 'd' then rec || coalesce(' ' || bounce_cat, '~') end) as refusal,
        min(bounce_class) filter (rec = 'b') as class
    from tried left join several using (message)
    group by all
)
select
    period, provider, sender_domain, vmta_pool, vmta, dlv_source_ip, job_id, carried,
    case
        when refusal < 'd' and ($class is null or class = $class) then 'bounced'
        when refusal < 'd' then 'aside'
        when n_deliveries = 0 then 'held'
        else 'delivered'
    end as kind,
    case when kind <> 'delivered' and refusal[2] = ' ' then refusal[3:] end as category,
    case when number is null then n_deliveries else 1 end as n
from counted
