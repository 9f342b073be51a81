-- name: suppress
-- title: Addresses to suppress
-- help: Addresses whose mailbox is dead, by bounces, synchronous or asynchronous, each with its reason, ready to be imported: `pmtaq suppress --format csv -o suppress.csv`.
-- help: A mailbox is dead when the reply says that it does not exist or is closed, or that its domain takes no mail, and its code is a permanent one; whatever category PMTA filed it under. With `--class soft` those that are full or closed for a while. Never a reply that blames the sender, our address, the content, a policy or the receiver, so neither a message that expired after throttling; and none that was bounced with its whole queue (`bounce-queue`), since the reply was to another. An address that took a delivery after its last such bounce is left out (looked for up to `--horizon` behind the window), and so is one without its local part. Filters choose the bounces; a delivery to the address counts from whomever. `--explain` lists the addresses with a bounce of that class by their category that are held back, and why.
-- needs: b
-- uses: rb, d
-- reach: after horizon
-- param: class choice(hard,soft) = hard  Dead mailboxes, or those that take nothing for now
-- param: least int = 1  Bounces that an address must have
-- param: horizon duration = 30d  How far behind the window to look for deliveries
-- param: explain flag  List what is held back, and why
-- param: top int = 0  Addresses to show, 0 for all
-- column: last_seen time
-- column: bounces count
-- see: misfiled, hygiene, top-bounces
with dead as not materialized (
    select *
    from records
    -- In one expression with the record type, so that the engine reads no other column of deliveries.
    where (rec in ('b', 'rb')) is true
        and case when rec in ('b', 'rb') then time_logged < $until and rcpt like '%_@_%' and rcpt not like '...@%' end
        and case $class when 'hard' then mailbox_dead = 'yes' else mailbox_dead = 'no' and reply_fault = 'mailbox' end
),
told as (
    -- The reply itself, the longest text of all, is read of the few of which it decides.
    select rcpt, message_key, time_logged, smtp_code, enhanced_code, bounce_cat
    from dead
    where bounce_origin is distinct from 'pmta-after-reply'
    union all
    select rcpt, message_key, time_logged, smtp_code, enhanced_code, bounce_cat
    from dead
    where bounce_origin = 'pmta-after-reply' and replied_to_it(bounce_origin, dsn_diag)
),
bounced as (
    select
        lower(rcpt) as address,
        any_value(message_key >> 32) as recipient,
        max(time_logged) as last_seen,
        count(*) as bounces,
        arg_max(concat_ws(' ', smtp_code, enhanced_code, bounce_cat), (time_logged, smtp_code, enhanced_code, bounce_cat)) as reason
    from told
    group by 1
),
alive as (
    -- By number and time first, so that few texts are compared.
    select distinct address
    from bounced join stored_as_ingested as d on d.message_key >> 32 = recipient and d.time_logged >= last_seen
    where rec = 'd' and (lower(d.rcpt) = address) is true
)
select address, reason, last_seen, bounces
from bounced
where bounces >= $least and address not in (select address from alive)
order by last_seen desc, address
limit case when $top = 0 then 9223372036854775807 else $top end
-- given: explain
with bounced as (
    select
        lower(rcpt) as address,
        any_value(message_key >> 32) as recipient,
        max(time_logged) as last_seen,
        count(*) as bounces,
        arg_max({cat: bounce_cat, fault: reply_fault, dead: mailbox_dead, reply: template, is_own: replied_to_it(bounce_origin, dsn_diag)}, (time_logged, template)) as last,
        max(time_logged) filter (case $class when 'hard' then mailbox_dead = 'yes' else mailbox_dead = 'no' and reply_fault = 'mailbox' end and replied_to_it(bounce_origin, dsn_diag)) as died
    from records
    where (rec in ('b', 'rb')) is true and time_logged < $until and (bounce_class = $class or case $class when 'hard' then mailbox_dead = 'yes' else mailbox_dead = 'no' and reply_fault = 'mailbox' end)
        and rcpt like '%_@_%' and rcpt not like '...@%'
    group by 1
),
alive as (
    -- By number and time first, so that few texts are compared.
    select distinct address, true as is_alive
    from bounced join stored_as_ingested as d on d.message_key >> 32 = recipient and d.time_logged >= died
    where rec = 'd' and (lower(d.rcpt) = address) is true
),
judged as (
    select bounced.* exclude (recipient),
        case
            when is_alive then 'took a delivery after it'
            when died is not null and bounces < $least then 'too few bounces'
            when died is not null then null
            when not last.is_own then 'the reply was to another recipient: a whole queue was bounced'
            when last.dead is null then 'the reply is not understood'
            when last.fault is null then 'the reply does not say whose fault it is'
            when last.dead = 'yes' then 'the mailbox is dead: class hard'
            when last.fault in ('mailbox', 'domain') then 'may take mail again'
            else 'the reply blames: ' || last.fault
        end as held_back
    from bounced left join alive using (address)
)
select held_back, address, last.cat as bounce_cat, last_seen, bounces, last.reply as template
from judged
where held_back is not null
order by held_back, last_seen desc, address
limit case when $top = 0 then 9223372036854775807 else $top end
