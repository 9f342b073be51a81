-- name: rates
-- name: stats top-rates by=host  Data transfer and recipient rates over time
-- title: Highest rates
-- help: The minute, the five minutes and the hour in which the most recipients were sent (delivered or bounced), for each group; with --bytes, in which the most bytes were delivered. These are any sixty seconds, not those of the clock: `since` is when they began.
-- needs: d, b
-- uses: dlv_size
-- param: by dimension = host  Group by
-- param: top int = 10  Groups to show, those with the most, 0 for all
-- param: bytes flag  By the volume instead of the recipients
-- column: recipients count
-- column: per_minute count
-- column: bytes bytes
-- column: per_second bytes
-- column: since time
-- chart: bars by recipients
-- see: volume, sizes
-- cluster: counted
with counted as (
    select coalesce(by(), '(none)') as "by", epoch_us(time_logged) // 1000000 as second, sent() as sent
    from records
    where rec in ('d', 'b')
    group by all
),
groups as (
    select "by", row_number() over (order by sum(sent) desc, "by") as place
    from counted
    group by "by"
    qualify $top = 0 or place <= $top
),
seconds as (select * from counted join groups using ("by")),
lengths as (
    from (values ('1 minute', 60), ('5 minutes', 300), ('1 hour', 3600)) lengths (over, length)
),
-- A window over all seconds takes long, so most are left out first. A slot is a tenth of a length. What
-- begins in one ends in the tenth behind it or before, so it comes to `most` or less; what begins with
-- one comes to `least`. The best stretch begins in a slot whose `most` is not below the best `least`,
-- and only the seconds of such slots, and of the ten behind each, are looked at.
slots as (
    select
        "by",
        length,
        slot,
        sum(sum(sent)) over (stretch range between current row and 9 following) as least,
        sum(sum(sent)) over (stretch range between current row and 10 following) as most
    from (select *, second // (length // 10) as slot from seconds, lengths)
    group by "by", length, slot
    window stretch as (partition by "by", length order by slot)
),
looked_at as (
    select distinct "by", length, unnest(range(slot, slot + 11)) as slot
    from (from slots qualify most >= max(least) over (partition by "by", length))
),
stretches as (
    select
        "by",
        place,
        length,
        second,
        sum(sent) over stretch::bigint as recipients
    from (select *, second // (length // 10) as slot from seconds, lengths)
    join looked_at using ("by", length, slot)
    window stretch as (partition by "by", length order by second range between current row and length - 1 following)
)
select "by", over, recipients, round(recipients * 60.0 / length, 2) as per_minute, make_timestamp(second * 1000000) as since
from stretches join lengths using (length)
qualify row_number() over (partition by "by", length order by recipients desc, second) = 1
order by place, length

-- given: bytes
-- cluster: counted
with counted as (
    select coalesce(by(), '(none)') as "by", epoch_us(time_logged) // 1000000 as second, bytes() as volume, delivered() as delivered
    from deliveries
    group by all
),
groups as (
    select "by", row_number() over (order by sum(volume) desc, "by") as place
    from counted
    group by "by"
    qualify $top = 0 or place <= $top
),
seconds as (select * from counted join groups using ("by")),
lengths as (
    from (values ('1 minute', 60), ('5 minutes', 300), ('1 hour', 3600)) lengths (over, length)
),
-- The same slots as above.
slots as (
    select
        "by",
        length,
        slot,
        sum(sum(volume)) over (stretch range between current row and 9 following) as least,
        sum(sum(volume)) over (stretch range between current row and 10 following) as most
    from (select *, second // (length // 10) as slot from seconds, lengths)
    group by "by", length, slot
    window stretch as (partition by "by", length order by slot)
),
looked_at as (
    select distinct "by", length, unnest(range(slot, slot + 11)) as slot
    from (from slots qualify most >= max(least) over (partition by "by", length))
),
stretches as (
    select
        "by",
        place,
        length,
        second,
        sum(volume) over stretch::bigint as bytes,
        sum(delivered) over stretch::bigint as recipients
    from (select *, second // (length // 10) as slot from seconds, lengths)
    join looked_at using ("by", length, slot)
    window stretch as (partition by "by", length order by second range between current row and length - 1 following)
)
select "by", over, bytes, bytes / length as per_second, recipients, make_timestamp(second * 1000000) as since
from stretches join lengths using (length)
qualify row_number() over (partition by "by", length order by bytes desc, second) = 1
order by place, length
