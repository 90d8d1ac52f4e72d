-- From each event of any step: which steps came in the window that it opens.
with e as (
  select person_id, event_name, occurred_at as t from events
  where person_id is not null and occurred_at < '$as_of'::timestamptz
    and event_name in ('Product Viewed', 'Product Added', 'Order Completed')
),
opened as (
  select distinct person_id, t as t0, t + to_days($window_days) < '$as_of'::timestamptz as mature from e
  where t >= '$start'::timestamptz and t < '$end'::timestamptz
),
windows as (
  select o.person_id, o.t0, any_value(mature) as mature,
         bool_or(event_name = 'Product Viewed') as viewed,
         bool_or(event_name = 'Product Added') as added,
         bool_or(event_name = 'Order Completed') as ordered
  from opened o join e on e.person_id = o.person_id and e.t between o.t0 and o.t0 + to_days($window_days)
  group by o.person_id, o.t0
),
people as (
  select person_id, bool_or(mature) as entered, bool_or(mature and added) as two, bool_or(mature and added and ordered) as three
  from windows where viewed group by person_id
),
counts as (
  select count_if(entered) as c1, count_if(two) as c2, count_if(three) as c3, count_if(not entered) as immature from people
)
select 1 as step_number, c1 as people, c1 / c1 as overall_rate, immature from counts
union all select 2, c2, c2 / c1, immature from counts
union all select 3, c3, c3 / c1, immature from counts
order by 1
