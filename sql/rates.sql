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
with mailed as not materialized (
    -- What was delivered has no class, and is by far the most.
    select * replace (null as bounce_class) from deliveries
    union all
    from bounces
),
groups as materialized (
    -- Numbers stand for names, of which each is said once.
    select
        coalesce(by(), '(none)') as name,
        hash(by()) as number,
        row_number() over (order by sent() desc, coalesce(by(), '(none)')) as place
    from mailed
    group by by()
    qualify $top = 0 or place <= $top
),
lengths as (
    from (values ('1 minute', 60, 6, 10), ('5 minutes', 300, 12, 25), ('1 hour', 3600, 60, 60)) lengths (over, length, slot_length, slots)
),
-- Seconds are many, so those that cannot matter are left out, twice, by the sums of each six.
sixths as materialized (
    select place, epoch_us(time_logged) // 6000000 as sixth, sent() as sent
    from mailed join groups on hash(by()) = number
    group by 1, 2
),
-- What begins in a stretch of the clock as long as the length ends in the next at the latest, so it comes to
-- `most` of both or less, and the best to the fullest such stretch or more.
rough as (
    select place, length, sixth // (length // 6) as nth, sum(sent)::bigint as sent from sixths, lengths group by all
),
likely as (
    select place, length, unnest([nth, nth + 1]) as nth
    from (
        select *, sent + case when lead(nth) over stretch = nth + 1 then lead(sent) over stretch else 0 end as most
        from rough
        window stretch as (partition by place, length order by nth)
    )
    qualify most >= max(sent) over (partition by place, length)
),
-- The same by slots, of which a length has several: what begins in one ends as many behind it or before, and
-- what begins with one comes to `least`.
slotted as materialized (
    select place, length, slot, sum(sent)::bigint as sent
    from (select *, sixth // (length // 6) as nth, sixth * 6 // slot_length as slot from sixths, lengths)
    where (place, length, nth) in (select (place, length, nth) from likely)
    group by place, length, slot
),
bounded as (
    -- A frame as wide as a column says is not known to every engine.
    select
        place, length, slot,
        sum(sent) over (of_minute range between current row and 9 following) as least,
        sum(sent) over (of_minute range between current row and 10 following) as most
    from slotted
    where length = 60
    window of_minute as (partition by place order by slot)
    union all
    select
        place, length, slot,
        sum(sent) over (of_five range between current row and 24 following),
        sum(sent) over (of_five range between current row and 25 following)
    from slotted
    where length = 300
    window of_five as (partition by place order by slot)
    union all
    select
        place, length, slot,
        sum(sent) over (of_hour range between current row and 59 following),
        sum(sent) over (of_hour range between current row and 60 following)
    from slotted
    where length = 3600
    window of_hour as (partition by place order by slot)
),
-- Only the minutes of such slots, and of those behind each, are looked at.
looked_at as materialized (
    select distinct place, length, unnest(range(slot, slot + slots + 1)) as slot
    from (from bounded qualify most >= max(least) over (partition by place, length)) join lengths using (length)
),
minutes as (
    select distinct slot * slot_length // 60 as minute from looked_at join lengths using (length)
),
counted as materialized (
    select place, epoch_us(time_logged) // 1000000 as second, sent() as sent, null as "by"
    from mailed join groups on hash(by()) = number
    -- Of what is joined, so that the engine holds the groups for it and not the records.
    where epoch_us(time_logged) // 60000000 in (select minute from minutes)
    group by 1, 2
    union all
    select place, null, 0, name from groups
),
stretches as (
    select
        place,
        length,
        over,
        second,
        sum(sent) over stretch::bigint as recipients
    from (select *, second // slot_length as slot from counted, lengths where "by" is null)
    join looked_at using (place, length, slot)
    window stretch as (partition by place, length order by second range between current row and length - 1 following)
)
select named."by", over, recipients, round(recipients * 60.0 / length, 2) as per_minute, make_timestamp(stretches.second * 1000000) as since
from stretches join counted as named on stretches.place = named.place and named."by" is not null
qualify row_number() over (partition by stretches.place, length order by recipients desc, stretches.second) = 1
order by stretches.place, length

-- given: bytes
-- cluster: counted
with groups as materialized (
    select
        coalesce(by(), '(none)') as name,
        hash(by()) as number,
        row_number() over (order by bytes() desc, coalesce(by(), '(none)')) as place
    from deliveries
    group by by()
    qualify $top = 0 or place <= $top
),
lengths as (
    from (values ('1 minute', 60, 6, 10), ('5 minutes', 300, 12, 25), ('1 hour', 3600, 60, 60)) lengths (over, length, slot_length, slots)
),
-- As above.
sixths as materialized (
    select place, epoch_us(time_logged) // 6000000 as sixth, bytes() as volume
    from deliveries join groups on hash(by()) = number
    group by 1, 2
),
rough as (
    select place, length, sixth // (length // 6) as nth, sum(volume)::bigint as volume from sixths, lengths group by all
),
likely as (
    select place, length, unnest([nth, nth + 1]) as nth
    from (
        select *, volume + case when lead(nth) over stretch = nth + 1 then lead(volume) over stretch else 0 end as most
        from rough
        window stretch as (partition by place, length order by nth)
    )
    qualify most >= max(volume) over (partition by place, length)
),
slotted as materialized (
    select place, length, slot, sum(volume)::bigint as volume
    from (select *, sixth // (length // 6) as nth, sixth * 6 // slot_length as slot from sixths, lengths)
    where (place, length, nth) in (select (place, length, nth) from likely)
    group by place, length, slot
),
bounded as (
    select
        place, length, slot,
        sum(volume) over (of_minute range between current row and 9 following) as least,
        sum(volume) over (of_minute range between current row and 10 following) as most
    from slotted
    where length = 60
    window of_minute as (partition by place order by slot)
    union all
    select
        place, length, slot,
        sum(volume) over (of_five range between current row and 24 following),
        sum(volume) over (of_five range between current row and 25 following)
    from slotted
    where length = 300
    window of_five as (partition by place order by slot)
    union all
    select
        place, length, slot,
        sum(volume) over (of_hour range between current row and 59 following),
        sum(volume) over (of_hour range between current row and 60 following)
    from slotted
    where length = 3600
    window of_hour as (partition by place order by slot)
),
looked_at as materialized (
    select distinct place, length, unnest(range(slot, slot + slots + 1)) as slot
    from (from bounded qualify most >= max(least) over (partition by place, length)) join lengths using (length)
),
minutes as (
    select distinct slot * slot_length // 60 as minute from looked_at join lengths using (length)
),
counted as materialized (
    select place, epoch_us(time_logged) // 1000000 as second, bytes() as volume, delivered() as delivered, null as "by"
    from deliveries join groups on hash(by()) = number
    where epoch_us(time_logged) // 60000000 in (select minute from minutes)
    group by 1, 2
    union all
    select place, null, 0, 0, name from groups
),
stretches as (
    select
        place,
        length,
        over,
        second,
        sum(volume) over stretch::bigint as bytes,
        sum(delivered) over stretch::bigint as recipients
    from (select *, second // slot_length as slot from counted, lengths where "by" is null)
    join looked_at using (place, length, slot)
    window stretch as (partition by place, length order by second range between current row and length - 1 following)
)
select named."by", over, bytes, bytes / length as per_second, recipients, make_timestamp(stretches.second * 1000000) as since
from stretches join counted as named on stretches.place = named.place and named."by" is not null
qualify row_number() over (partition by stretches.place, length order by bytes desc, stretches.second) = 1
order by stretches.place, length
