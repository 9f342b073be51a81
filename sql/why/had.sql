-- Which records each period has: what the answer rests on.
select period, rec, count(*) as n
from records
group by all
order by all
