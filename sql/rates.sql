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
with seconds as (
    select coalesce(by(), '(none)') as "by", date_trunc('second', time_logged) as since, sent() as sent
    from records
    where rec in ('d', 'b')
    group by all
),
groups as (
    select "by", row_number() over (order by sum(sent) desc, "by") as place from seconds group by "by"
),
stretches as (
    select
        "by",
        place,
        over,
        length,
        since,
        sum(sent) over (
            partition by "by", length order by epoch(since)
            range between current row and length - 1 following
        )::bigint as recipients
    from seconds
    join groups using ("by")
    cross join (values ('1 minute', 60), ('5 minutes', 300), ('1 hour', 3600)) lengths (over, length)
    where $top = 0 or place <= $top
)
select "by", over, recipients, round(recipients * 60.0 / length, 2) as per_minute, since
from stretches
qualify row_number() over (partition by "by", length order by recipients desc, since) = 1
order by place, length

-- given: bytes
with seconds as (
    select
        coalesce(by(), '(none)') as "by",
        date_trunc('second', time_logged) as since,
        bytes() as volume,
        delivered() as delivered
    from deliveries
    group by all
),
groups as (
    select "by", row_number() over (order by sum(volume) desc, "by") as place from seconds group by "by"
),
stretches as (
    select
        "by",
        place,
        over,
        length,
        since,
        sum(volume) over stretch::bigint as bytes,
        sum(delivered) over stretch::bigint as recipients
    from seconds
    join groups using ("by")
    cross join (values ('1 minute', 60), ('5 minutes', 300), ('1 hour', 3600)) lengths (over, length)
    where $top = 0 or place <= $top
    window stretch as (
        partition by "by", length order by epoch(since)
        range between current row and length - 1 following
    )
)
select "by", over, bytes, bytes / length as per_second, recipients, since
from stretches
qualify row_number() over (partition by "by", length order by bytes desc, since) = 1
order by place, length
