-- name: bounce-reasons
-- title: Why recipients bounced
-- help: Bounced recipients by class, category and enhanced code, most frequent first.
-- needs: b
-- param: top int = 20  Rows to show, 0 for all
-- column: bounces count
-- column: share percent of all_bounces
-- column: all_bounces count
-- chart: bars category bounces
-- see: top-bounces
select
    coalesce(bounce_class, 'undetermined') as class,
    coalesce(bounce_cat, '(none)') as category,
    enhanced_code,
    count(*) as bounces,
    100.0 * count(*) / sum(count(*)) over () as share,
    sum(count(*)) over ()::bigint as all_bounces,
    count(distinct provider) as providers,
    count(distinct vmta) as vmtas
from bounces
group by bounce_class, bounce_cat, enhanced_code
order by bounces desc, class, category, enhanced_code
limit case when $top = 0 then 9223372036854775807 else $top end
