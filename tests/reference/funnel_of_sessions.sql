-- Step by step within each session: the next step is the earliest event at or after the one before.
with e as (
  select session_id, person_id, event_name, occurred_at as t from events
  where session_id is not null and occurred_at < '$as_of'::timestamptz and occurred_at >= '$start'::timestamptz
),
s1 as (
  select distinct session_id, t as t1 from e where event_name = 'Product Viewed' and t < '$end'::timestamptz
),
s2 as (
  select s1.*, (
    select min(t) from e where e.session_id = s1.session_id and event_name = 'Product Added' and t >= t1
  ) as t2 from s1
),
s3 as (
  select s2.*, (
    select min(t) from e where e.session_id = s2.session_id and event_name = 'Order Completed' and t >= t2
  ) as t3 from s2
),
over as (
  select session_id, max(t) < '$as_of'::timestamptz - interval 30 minutes as mature from e group by session_id
),
visits as (
  select session_id, bool_or(mature) as mature, bool_or(t2 is not null) as added, bool_or(t3 is not null) as ordered
  from s3 join over using (session_id) group by session_id
),
counts as (
  select count_if(mature) as c1, count_if(mature and added) as c2, count_if(mature and ordered) as c3,
         count_if(not mature) as immature
  from visits
)
select 1 as step_number, c1 as sessions, null as step_rate, c1 / c1 as overall_rate, immature from counts
union all select 2, c2, c2 / c1, c2 / c1, immature from counts
union all select 3, c3, c3 / c2, c3 / c1, immature from counts
order by 1
