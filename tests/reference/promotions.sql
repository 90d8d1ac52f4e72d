-- Session by session and promotion, with the orders looked up.
with touched as (
  select e.promotion_id, e.session_id, s.person_id,
         min(e.occurred_at) filter (e.event_name = 'Promotion Clicked') as clicked_at
  from events e join sessions s using (session_id)
  where e.event_name in ('Promotion Viewed', 'Promotion Clicked') and e.promotion_id is not null
    and s.started_at >= '$start'::timestamptz and s.started_at < '$end'::timestamptz
  group by all
),
told as (
  select *, exists (
    select 1 from orders o
    where o.session_id = t.session_id and o.status <> 'cancelled' and o.ordered_at >= t.clicked_at
  ) as ordered_after
  from touched t
)
select promotion_id, count(*) as sessions, count(clicked_at) as sessions_clicked,
       count(*) filter (ordered_after) as sessions_with_order_after,
       count(distinct person_id) as people,
       sessions_clicked / sessions as click_rate,
       sessions_with_order_after / nullif(sessions_clicked, 0) as order_after_rate
from told group by promotion_id order by sessions desc, promotion_id
