-- Views, adds, orders and people per product, each asked by itself.
with span as (select '$start'::timestamptz as first_at, '$end'::timestamptz as last_at),
bought as (
  select o.*, l.line_number, l.product_id, l.quantity, l.line_revenue
  from orders o join order_lines l using (order_id), span
  where ordered_at >= first_at and ordered_at < last_at and ordered_at < '$as_of'::timestamptz
    and not (status = 'cancelled' and coalesce(cancelled_at < '$as_of'::timestamptz, true))
),
seen as (
  select product_id, person_id, event_name, occurred_at from product_events, span
  where event_name in ('Product Viewed', 'Product Added')
    and occurred_at >= first_at and occurred_at < last_at and occurred_at < '$as_of'::timestamptz
),
first_views as (
  select product_id, person_id, min(occurred_at) as first_at from seen
  where event_name = 'Product Viewed' and person_id is not null group by all
),
products as (select product_id from bought union select product_id from seen),
counted as (
select p.product_id,
       (select count(*) from seen s where s.product_id = p.product_id and event_name = 'Product Viewed') as views,
       (select count(*) from seen s where s.product_id = p.product_id and event_name = 'Product Added') as adds,
       (select count(distinct order_id) from bought b where b.product_id = p.product_id) as orders,
       (select sum(quantity)::bigint from bought b where b.product_id = p.product_id) as units,
       (select sum(line_revenue) from bought b where b.product_id = p.product_id) as revenue,
       (select count(*) from first_views f where f.product_id = p.product_id) as people_viewed,
       (select count(*) from first_views f where f.product_id = p.product_id and exists (
          select 1 from seen s where s.product_id = f.product_id and s.person_id = f.person_id
             and s.event_name = 'Product Added' and s.occurred_at >= f.first_at)) as people_added,
       (select count(*) from first_views f where f.product_id = p.product_id and exists (
          select 1 from bought b where b.product_id = f.product_id and b.customer_id = f.person_id
             and b.ordered_at >= f.first_at)) as people_ordered
from products p
)
select *, people_ordered / people_viewed as view_to_order_rate from counted
order by revenue desc, views desc, product_id
