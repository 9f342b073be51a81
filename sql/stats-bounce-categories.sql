-- name: stats bounce-categories
-- title: Bounce categories, the most frequent first
-- help: Bounced recipients by category, and how many of them got a permanent (5.X.X) or a transient (4.X.X) status. The detail of one category: `pmtaq top-bounces --category NAME`, also with `--by domain`.
-- needs: b
-- param: top int = 10  Rows to show, 0 for all
-- column: bounced count
-- column: share percent of total
-- column: total count
-- column: permanent count
-- column: transient count
-- chart: bars category bounced
-- see: top-bounces, bounce-reasons
select
    coalesce(bounce_cat, '(none)') as category,
    bounced() as bounced,
    100.0 * bounced() / sum(bounced()) over () as share,
    sum(bounced()) over ()::bigint as total,
    count(*) filter (enhanced_code like '5.%') as permanent,
    count(*) filter (enhanced_code like '4.%') as transient
from bounces
where bounce_class is distinct from 'administrative'
group by bounce_cat
order by bounced desc, category
limit case when $top = 0 then 9223372036854775807 else $top end
