-- name: top-bounces
-- title: Most frequent bounces
-- help: Bounced recipients by the receiver's reply, with all that differs from message to message masked.
-- needs: b
-- param: by choice(template,category,enhanced,class,vmta,job,provider,domain) = template  Count by
-- param: top int = 20  Rows to show, 0 for all
-- column: bounces count
-- column: share percent of all_bounces
-- column: all_bounces count
-- column: last_seen time
-- chart: bars bounced_by bounces
-- see: bounce-reasons
with keyed as (
    select
        case $by
            when 'template' then template
            when 'category' then bounce_cat
            when 'enhanced' then enhanced_code
            when 'class' then bounce_class
            when 'vmta' then vmta
            when 'job' then job_id
            when 'provider' then provider
            when 'domain' then rcpt_domain
        end as bounced_by,
        *
    from bounces
)
select
    coalesce(bounced_by, '(none)') as bounced_by,
    count(*) as bounces,
    100.0 * count(*) / sum(count(*)) over () as share,
    sum(count(*)) over ()::bigint as all_bounces,
    arg_max(bounce_cat, time_logged) as category,
    max(time_logged) as last_seen
from keyed
group by bounced_by
order by bounces desc, bounced_by
limit case when $top = 0 then 9223372036854775807 else $top end
