-- name: misfiled
-- title: Bounces whose category and reply disagree
-- help: How many bounces PMTA filed under a category that the reply itself does not bear out: dead mailboxes that are no hard bounces by their category, and hard bounces by category whose reply blames something else, or says that the mailbox is not dead, or was to another message of a queue that was bounced as a whole. Suppression goes by the reply; lines of `bounce-category-patterns` set the category right.
-- needs: b
-- uses: rb
-- param: top int = 20  Rows to show, 0 for all
-- column: bounces count
-- column: templates count
-- see: suppress, bounce-reasons, top-bounces
with filed as (
    select
        case
            when mailbox_dead = 'yes' then 'dead mailbox, not filed as one'
            when mailbox_dead = 'no' then 'filed as a dead mailbox, is none'
            else 'filed as a dead mailbox, bounced with its queue'
        end as mismatch,
        coalesce(bounce_cat, '(none)') as bounce_cat,
        coalesce(reply_fault, '(not said)') as reply_fault,
        template,
        count(*) as bounces
    from records
    where rec in ('b', 'rb')
        and case when mailbox_dead is null
            then bounce_class = 'hard' and not replied_to_it(bounce_origin, dsn_diag)
            else (mailbox_dead = 'yes') <> (coalesce(bounce_class, 'undetermined') = 'hard')
        end
    group by all
)
select mismatch, bounce_cat, reply_fault, sum(bounces)::bigint as bounces, count(*) as templates, arg_max(template, (bounces, template)) as template
from filed
group by mismatch, bounce_cat, reply_fault
order by bounces desc, mismatch, bounce_cat, reply_fault
limit case when $top = 0 then 9223372036854775807 else $top end
