-- Pairs of session and viewed product, and whether the session's orders hold that product.
with viewed as (
  select distinct s.session_id, e.product_id, coalesce(s.person_id, s.anonymous_id, s.session_id) as visitor, s.person_id
  from sessions s join product_events e using (session_id)
  where e.event_name = 'Product Viewed' and e.occurred_at < '$as_of'::timestamptz
    and s.started_at >= '$start'::timestamptz and s.started_at < '$end'::timestamptz
),
told as (
  select v.*, exists (
    select 1 from orders o join order_lines l using (order_id)
    where o.session_id = v.session_id and l.product_id = v.product_id and o.ordered_at < '$as_of'::timestamptz
      and not (o.status = 'cancelled' and coalesce(o.cancelled_at < '$as_of'::timestamptz, true))
  ) as has_order
  from viewed v
),
visitors as (select product_id, visitor, count_if(has_order) as x, count(*) as y from told group by all)
select v.product_id,
       (select count(*) from told t where t.product_id = v.product_id) as sessions,
       (select count_if(has_order) from told t where t.product_id = v.product_id) as sessions_with_order,
       (select count(distinct person_id) from told t where t.product_id = v.product_id) as people,
       sum(x) / sum(y) as visit_to_order_rate,
       count(*) as clusters,
       sum(x * y)::double as products
from visitors v
group by v.product_id
order by sessions desc, v.product_id
