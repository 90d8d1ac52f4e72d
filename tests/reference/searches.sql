-- A search leads somewhere when a product follows before the next search: looked up search by search.
with s as (
  select * from sessions where started_at >= '$start'::timestamptz and started_at < '$end'::timestamptz
),
q as (
  select lower(trim(query)) as query, session_id, person_id, orders, occurred_at, message_id,
         (select min(n.occurred_at) from events n
          where n.session_id = e.session_id and n.event_name = 'Products Searched'
            and (n.occurred_at, n.message_id) > (e.occurred_at, e.message_id)) as next_search_at
  from events e join (select session_id, orders from s) using (session_id)
  where event_name = 'Products Searched' and trim(query) <> ''
),
told as (
  select q.*, not exists (
    select 1 from events p
    where p.session_id = q.session_id and p.event_name in (
      'Product Clicked', 'Product Viewed', 'Product Added', 'Product Added to Wishlist', 'Wishlist Product Added to Cart'
    )
      and p.occurred_at >= q.occurred_at and (q.next_search_at is null or p.occurred_at < q.next_search_at)
  ) as dead_end
  from q
)
select query, count(*) as searches, count(*) filter (dead_end) as dead_ends, dead_ends / searches as dead_end_rate,
       count(distinct session_id) as sessions,
       count(distinct session_id) filter (orders > 0) as sessions_with_order,
       count(distinct person_id) as people,
       sessions_with_order / sessions as visit_to_order_rate
from told group by query order by searches desc, query
