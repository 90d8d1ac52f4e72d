-- Session by session and coupon, with what followed looked up.
with denied as (
  select upper(trim(e.coupon)) as coupon, e.session_id, s.person_id, min(e.occurred_at) as denied_at
  from events e join sessions s using (session_id)
  where e.event_name = 'Coupon Denied'
    and s.started_at >= '$start'::timestamptz and s.started_at < '$end'::timestamptz
  group by all
),
told as (
  select *,
    exists (select 1 from orders o
            where o.session_id = d.session_id and o.status <> 'cancelled' and o.ordered_at >= denied_at) as ordered,
    exists (select 1 from events a
            where a.session_id = d.session_id and a.event_name = 'Coupon Applied' and a.occurred_at >= denied_at) as applied
  from denied d
)
select coupon, count(*) as sessions, count(*) filter (applied) as sessions_with_coupon_after,
       count(*) filter (ordered) as sessions_with_order_after, count(distinct person_id) as people,
       sessions_with_order_after / sessions as order_after_rate
from told group by coupon order by sessions desc, coupon
