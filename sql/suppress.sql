-- name: suppress
-- title: Addresses to mail no more
-- help: Addresses that bounced, in band or remote, each with its reason, ready to be imported: `pmtaq suppress --format csv -o suppress.csv`.
-- help: Hard bounces, or soft ones when asked for; never a block and never an undetermined bounce, which are not the recipient's fault, and for the same reason no reply with an enhanced code of security or policy (5.7.*). An address that took a delivery after its last such bounce is left out (looked for up to `--horizon` behind the window), and so is one without its local part. Filters choose the bounces; a delivery to the address counts from whomever.
-- needs: b
-- uses: rb, d
-- reach: after horizon
-- param: class choice(hard,soft) = hard  Class of the bounces
-- param: least int = 1  Bounces that an address must have
-- param: horizon duration = 30d  How far behind the window to look for deliveries
-- param: top int = 0  Addresses to show, 0 for all
-- column: last_seen time
-- column: bounces count
-- see: hygiene, top-bounces
with bounced as (
    select
        lower(rcpt) as address,
        max(time_logged) as last_seen,
        count(*) as bounces,
        arg_max(concat_ws(' ', smtp_code, enhanced_code, bounce_cat), (time_logged, smtp_code, enhanced_code, bounce_cat)) as reason
    from records
    where rec in ('b', 'rb') and time_logged < $until
        and bounce_class = $class and bounce_class in ('hard', 'soft')
        and rcpt like '%_@_%' and rcpt not like '...@%'
        and (enhanced_code is null or enhanced_code not like '5.7.%')
    group by 1
),
alive as (
    select lower(rcpt) as address, max(time_logged) as delivered_at
    from stored
    where rec = 'd' and lower(rcpt) in (select address from bounced)
    group by 1
)
select address, reason, last_seen, bounces
from bounced left join alive using (address)
where bounces >= $least and (delivered_at is null or delivered_at < last_seen)
order by last_seen desc, address
limit case when $top = 0 then 9223372036854775807 else $top end
