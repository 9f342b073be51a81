-- What each value of a dimension has in each period, whatever the others are: what enters the metric, and
-- what it counts; and the number by which other statements know its name. All dimensions in one pass: each
-- would be a scan by itself.
with told as (
    select
        *,
        case
            when rec = 'r' then 'injected'
            when rec = 'd' then case when marked then 'marked' else 'delivered' end
            when rec in ('t', 'tq') then $waits
            when bounce_class = 'administrative' then null
            when $class is not null and bounce_class is distinct from $class then 'aside'
            when rec = 'rb' then 'remote'
            else 'bounced'
        end as kind
    from records
    where
        rec in ('r', 'd', 'b', 't', 'tq', 'rb')
        and ($reached = 0 or (reached_receiver(rec, dlv_destination_ip, dsn_mta, bounce_origin, smtp_code) and rec in ('d', 'b', 't')))
),
summed as (
    select
        period, dims(),
        sum(case when kind in (entered()) then n end)::bigint as entered,
        sum(case when kind in (counted()) then n end)::bigint as counted
    from told
    where kind in (entered(), counted())
    group by grouping sets (each_dim())
),
named as (
    select
        period, entered, counted,
        unnest([names()]) as dim,
        unnest([dims()]) as name
    from summed
)
select dim, name, hash(name) as number, period, entered, counted
from named
where name is not null
