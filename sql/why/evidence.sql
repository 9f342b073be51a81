-- What the records of each cause say: by step of time, and by reply. A record may speak for
-- several causes; `causes` has the numbers of those it speaks for. A delivery of the kind that is
-- asked about is a record `m`.
with told as (
    select
        unnest(causes) as cause, period, case when marked then 'm' else rec end as rec, bounce_cat,
        template, epoch(time_logged)::bigint // $step_s * $step_s as step
    from records
    where bounce_class is distinct from 'administrative'
)
select cause, period, rec, bounce_cat, template, step, count(*) as n
from told
where cause is not null
group by grouping sets (
    (cause, period, rec, bounce_cat, step),
    (cause, period, rec, bounce_cat, template)
)
order by all
