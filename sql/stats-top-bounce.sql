-- name: stats top-bounce
-- title: Domains with the most bounces, and why
-- help: The recipient domains with the most bounces: how many got a permanent (5.X.X) or a transient (4.X.X) status, and the most frequent replies of each (--reasons).
-- needs: d, b
-- param: top int = 10  Domains to show, 0 for all
-- param: reasons int = 3  Replies to show for each domain, 0 for all
-- column: sent count
-- column: bounced count
-- column: permanent count
-- column: transient count
-- column: reply_count count
-- column: share percent of bounced
-- groups: domain
-- chart: bars domain bounced
-- see: top-bounces, domains
with domains as (
    select
        coalesce(rcpt_domain, '(none)') as domain,
        sent() as sent,
        bounced() as bounced,
        count(*) filter (rec = 'b' and enhanced_code like '5.%') as permanent,
        count(*) filter (rec = 'b' and enhanced_code like '4.%') as transient
    from records
    where rec in ('d', 'b') and bounce_class is distinct from 'administrative'
    group by records.rcpt_domain
    having bounced() > 0
    order by bounced desc, domain
    limit case when $top = 0 then 9223372036854775807 else $top end
),
replies as (
    select
        coalesce(rcpt_domain, '(none)') as domain,
        count(*) as reply_count,
        coalesce(template, '(none)') as reply
    from bounces
    where bounce_class is distinct from 'administrative'
    group by rcpt_domain, template
    qualify $reasons = 0
        or row_number() over (partition by rcpt_domain order by count(*) desc, template) <= $reasons
)
select
    domain,
    sent,
    bounced,
    permanent,
    transient,
    reply_count,
    100.0 * reply_count / bounced as share,
    reply
from domains join replies using (domain)
order by bounced desc, domain, reply_count desc, reply
