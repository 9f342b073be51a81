-- name: volume
-- title: Volume over time
-- help: Recipients injected, delivered, bounced and deferred in each hour or day of the local clock.
-- needs: d, b
-- param: per choice(hour,day) = hour  Length of the steps
-- column: time local
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
        date_trunc($per, local(time_logged)) as time,
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
    -- A step without a record is a fact too, and not a gap.
    select unnest(generate_series(min(time), max(time), case $per when 'day' then interval 1 day else interval 1 hour end)) as time
    from counted
)
select
    time,
    coalesce(injected, 0) as injected,
    coalesce(delivered, 0) as delivered,
    coalesce(bounced, 0) as bounced,
    coalesce(deferred, 0) as deferred,
    coalesce(complaints, 0) as complaints,
    coalesce(bytes, 0) as bytes
from steps left join counted using (time)
order by time
