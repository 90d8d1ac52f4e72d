-- Step by step: who went at least so far, who went no further, with the order as the way out of both.
with s as (
  select * from sessions where started_at >= '$start'::timestamptz and started_at < '$end'::timestamptz
),
step(step_number, step, event_name) as (values
  (1, 'Product Added', 'Product Added'), (1, 'Product Added', 'Wishlist Product Added to Cart'),
  (2, 'Cart Viewed', 'Cart Viewed'), (3, 'Checkout Started', 'Checkout Started'),
  (4, 'Checkout Step Viewed', 'Checkout Step Viewed'), (5, 'Checkout Step Completed', 'Checkout Step Completed'),
  (6, 'Payment Info Entered', 'Payment Info Entered')
),
shown as (select distinct session_id, step_number from events join step using (event_name) join s using (session_id)),
carts as (
  select s.session_id, s.person_id, s.orders, max(step_number) as deepest
  from s join shown using (session_id) group by all
)
select k.step_number, k.step,
       count(*) filter (c.orders > 0 or c.deepest >= k.step_number) as sessions,
       (select count(*) from shown where shown.step_number = k.step_number) as sessions_seen,
       count(*) filter (c.orders = 0 and c.deepest = k.step_number) as sessions_left,
       count(*) filter (c.orders > 0) as sessions_with_order,
       count(distinct c.person_id) filter (c.orders > 0 or c.deepest >= k.step_number) as people,
       sessions_left / nullif(sessions, 0) as abandonment_rate,
       people as clusters
from (select distinct step_number, step from step) k cross join carts c
group by k.step_number, k.step
order by k.step_number
