-- Each feature by itself, with `exists`.
with s as (
  select * from sessions where started_at >= '$start'::timestamptz and started_at < '$end'::timestamptz
),
feature(feature_number, feature, names) as (values
  (1, 'search', ['Products Searched']), (2, 'list filtered', ['Product List Filtered']),
  (3, 'click in a list', ['Product Clicked']), (4, 'promotion viewed', ['Promotion Viewed']),
  (5, 'promotion clicked', ['Promotion Clicked']),
  (6, 'wishlist', ['Product Added to Wishlist', 'Wishlist Product Added to Cart']),
  (7, 'coupon applied', ['Coupon Applied']), (8, 'coupon denied', ['Coupon Denied'])
),
told as (
  select feature_number, feature, s.person_id, s.orders,
         exists (select 1 from events e where e.session_id = s.session_id and list_contains(names, event_name)) as is_used
  from s cross join feature
),
sides as (select feature_number, feature, unnest([true, false]) as is_used from feature)
select sides.feature_number, sides.feature, sides.is_used,
       count(told.orders) as sessions,
       count(told.orders) filter (told.orders > 0) as sessions_with_order,
       count(distinct told.person_id) as people,
       sessions_with_order / nullif(sessions, 0) as visit_to_order_rate
from sides left join told using (feature_number, feature, is_used)
group by all order by feature_number, is_used desc
