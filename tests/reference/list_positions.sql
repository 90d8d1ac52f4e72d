-- Each listing looks for a click between itself and the next listing of the product in its session.
with told as (
  select * from product_events
  where session_id is not null and occurred_at >= '$start'::timestamptz and occurred_at < '$end'::timestamptz
    and occurred_at < '$as_of'::timestamptz
),
listings as (
  select *, lead(occurred_at) over (partition by session_id, product_id order by occurred_at) as next_at
  from told where event_name = 'Product List Viewed'
),
opened as (
  select l.*, exists (
    select 1 from told c where c.event_name = 'Product Clicked' and c.session_id = l.session_id
      and c.product_id = l.product_id and c.occurred_at >= l.occurred_at
      and (l.next_at is null or c.occurred_at < l.next_at)
  ) as is_opened
  from listings l
)
select position, count(*) as listings, count_if(is_opened) as listings_opened,
       count(distinct session_id) as sessions, listings_opened / listings as opened_rate
from opened
group by position
order by position
