-- Forward from each start: the next step is the earliest event at or after the one before.
with e as (
  select person_id, event_name, occurred_at as t from events
  where person_id is not null and occurred_at < '$as_of'::timestamptz
    and event_name in ('Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed')
),
s1 as (
  select distinct person_id, t as t1 from e
  where event_name = 'Product Viewed' and t >= '$start'::timestamptz and t < '$end'::timestamptz
),
s2 as (
  select s1.*, (select min(t) from e where e.person_id = s1.person_id and event_name = 'Product Added' and t >= t1) as t2
  from s1
),
s3 as (
  select s2.*, (select min(t) from e where e.person_id = s2.person_id and event_name = 'Checkout Started' and t >= t2) as t3
  from s2
),
s4 as (
  select s3.*, (select min(t) from e where e.person_id = s3.person_id and event_name = 'Order Completed' and t >= t3) as t4
  from s3
),
people as (
  select person_id,
         bool_or(mature) as entered,
         bool_or(mature and t2 <= t1 + to_days($window_days)) as added,
         bool_or(mature and t3 <= t1 + to_days($window_days)) as checked_out,
         bool_or(mature and t4 <= t1 + to_days($window_days)) as ordered
  from (select *, t1 + to_days($window_days) < '$as_of'::timestamptz as mature from s4)
  group by person_id
),
counts as (
  select count_if(entered) as c1, count_if(added) as c2, count_if(checked_out) as c3, count_if(ordered) as c4,
         count_if(not entered) as immature
  from people
)
select 1 as step_number, 'Product Viewed' as step, c1 as people, null as step_rate, c1 / c1 as overall_rate, immature
from counts
union all select 2, 'Product Added', c2, c2 / c1, c2 / c1, immature from counts
union all select 3, 'Checkout Started', c3, c3 / c2, c3 / c1, immature from counts
union all select 4, 'Order Completed', c4, c4 / c3, c4 / c1, immature from counts
order by 1
