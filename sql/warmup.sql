-- name: warmup
-- title: Volume and reputation of each address, day by day
-- help: For each of our addresses and each provider, day by day of the local clock: recipients sent, those of the `before` day that had any, and how the provider took it: bounced, blocked, deferred.
-- help: Sent are recipients that were finished from this address: delivered, or bounced synchronously by a receiver; what bounced without an attempt names no address and does not count. `--top` chooses the pairs of address and provider with the most recipients.
-- needs: d, b
-- uses: t, dlv_source_ip, dlv_destination_ip
-- param: top int = 10  Pairs of address and provider to show, 0 for all
-- column: sent count
-- column: before count
-- column: bounce_rate percent of sent
-- column: block_rate percent of sent
-- column: attempts count
-- column: deferral_rate percent of attempts
-- rollup: few of rec, ip, provider, day
-- chart: lines day sent
-- see: ips, providers, throttles
with sums as materialized (
    -- Numbers stand for names, of which there are many. What was only deferred has none sent, and a day all the same.
    select hash(dlv_source_ip, provider) as pair, sent() as sent
    from records
    where rec in ('d', 'b', 't') and dlv_source_ip is not null and dlv_source_ip not in ('0.0.0.0', '::')
    group by pair
),
large as (
    -- Those as large as the last that is shown: which of them are is told by their names.
    select pair
    from sums
    where sent >= (select min(sent) from (select sent from sums order by sent desc limit case when $top = 0 then 9223372036854775807 else $top end))
),
daily as (
    select
        dlv_source_ip as ip,
        coalesce(provider, '(none)') as provider,
        strftime(local(time_logged), '%Y-%m-%d') as day,
        sent() as sent,
        bounce_rate() as bounce_rate,
        block_rate() as block_rate,
        attempts() as attempts,
        deferral_rate() as deferral_rate
    from records
    where rec in ('d', 'b', 't') and dlv_source_ip is not null and dlv_source_ip not in ('0.0.0.0', '::')
        and hash(dlv_source_ip, records.provider) in (select pair from large)
    group by all
),
compared as (
    select *, lag(sent) over (partition by ip, provider order by day) as before
    from daily
),
pairs as (
    select ip, provider
    from daily
    group by all
    order by sum(sent) desc, ip, provider
    limit case when $top = 0 then 9223372036854775807 else $top end
)
select ip, provider, day, sent, before, bounce_rate, block_rate, attempts, deferral_rate
from compared semi join pairs using (ip, provider)
order by ip, provider, day
