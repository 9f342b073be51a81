-- Which records each period has, and of which MTA: what the answer rests on.
select period, rec, host, count(*) as n
from records
group by all
order by all
