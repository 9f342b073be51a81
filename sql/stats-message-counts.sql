-- name: stats message-counts
-- title: Recipients and volume of deliveries and bounces
-- help: Recipients, volume and sizes of what was delivered and of what bounced. Volume and sizes are those of records with a size; PMTA writes none for many bounces.
-- needs: d, b
-- uses: dlv_size
-- column: recipients count
-- column: volume bytes
-- column: smallest bytes
-- column: mean bytes
-- column: largest bytes
-- chart: bars messages recipients
-- see: sizes, volume
select
    case when grouping(rec) = 1 then 'total' when rec = 'd' then 'deliveries' else 'bounces' end as messages,
    sent() as recipients,
    sum(dlv_size)::bigint as volume,
    min(dlv_size) as smallest,
    avg(dlv_size) as mean,
    max(dlv_size) as largest
from records
where rec in ('d', 'b')
group by rollup (rec)
having count(*) > 0
order by grouping(rec), rec desc
