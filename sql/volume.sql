-- name: volume
-- title: Volume over time
-- help: Recipients injected, delivered, bounced and deferred in each hour or day of the local clock. The hour that comes twice in autumn has two rows, told apart by their offset from UTC.
-- needs: d, b
-- param: per choice(hour,day) = hour  Length of the steps
-- column: time time
-- column: injected count
-- column: delivered count
-- column: bounced count
-- column: deferred count
-- column: complaints count
-- column: bytes bytes
-- rollup: hour
-- chart: lines time delivered
-- see: domains
with counted as (
    select
        local_hour(time_logged) as time,
        injected() as injected,
        delivered() as delivered,
        bounced() as bounced,
        deferred() as deferred,
        complaints() as complaints,
        bytes() as bytes
    from records
    group by 1
),
steps as (
    -- A step without a record is a fact too, and not a gap. Twice an hour, since an hour may begin at half past.
    select distinct local_hour(moment) as time
    from (select unnest(generate_series(min(time), max(time), interval 30 minute)) as moment from counted)
)
select
    time,
    case when counted.time is null then 0 else injected end as injected,
    case when counted.time is null then 0 else delivered end as delivered,
    case when counted.time is null then 0 else bounced end as bounced,
    case when counted.time is null then 0 else deferred end as deferred,
    case when counted.time is null then 0 else complaints end as complaints,
    case when counted.time is null then 0 else bytes end as bytes
from steps left join counted using (time)
order by time
-- given: per=day
-- rollup: day
with counted as (
    select
        local(time_logged)::date as time,
        injected() as injected,
        delivered() as delivered,
        bounced() as bounced,
        deferred() as deferred,
        complaints() as complaints,
        bytes() as bytes
    from records
    group by 1
),
steps as (
    select unnest(generate_series(min(time), max(time), interval 1 day))::date as time from counted
)
select
    time,
    case when counted.time is null then 0 else injected end as injected,
    case when counted.time is null then 0 else delivered end as delivered,
    case when counted.time is null then 0 else bounced end as bounced,
    case when counted.time is null then 0 else deferred end as deferred,
    case when counted.time is null then 0 else complaints end as complaints,
    case when counted.time is null then 0 else bytes end as bytes
from steps left join counted using (time)
order by time
