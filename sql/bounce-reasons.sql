-- name: bounce-reasons
-- title: Why recipients bounced
-- help: Bounced recipients by class, category and enhanced code, most frequent first, each with the number of providers that said so and the most frequent reply.
-- help: Synchronous bounces (b records); `remote-bounces` has the asynchronous ones.
-- help: What an operator deleted (class administrative) has lines of its own, and is in no share.
-- needs: b
-- param: top int = 20  Rows to show, 0 for all
-- column: bounces count
-- column: share percent of total
-- column: total count
-- chart: bars category bounces
-- see: top-bounces
with counted as (
    select
        coalesce(bounce_class, 'undetermined') as class,
        coalesce(bounce_cat, '(none)') as category,
        coalesce(enhanced_code, '(none)') as enhanced_code,
        coalesce(template, '(none)') as reply,
        list(distinct provider) as providers,
        count(*) as bounces,
        count(*) filter (bounce_class is distinct from 'administrative') as ended
    from bounces
    group by all
)
select
    class,
    category,
    enhanced_code,
    sum(bounces)::bigint as bounces,
    100.0 * nullif(sum(ended), 0) / sum(sum(ended)) over () as share,
    sum(sum(ended)) over ()::bigint as total,
    len(list_distinct(flatten(list(providers)))) as providers,
    first(reply order by counted.bounces desc, reply) as reply
from counted
group by class, category, enhanced_code
order by bounces desc, class, category, enhanced_code
limit case when $top = 0 then 9223372036854775807 else $top end
