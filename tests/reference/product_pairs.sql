-- Each order's set of products as a list, paired by unnesting it twice.
with baskets as (
  select order_id, any_value(coalesce(customer_id, order_id)) as buyer, list_distinct(list(product_id)) as products
  from orders join order_lines using (order_id)
  where ordered_at >= '$start'::timestamptz and ordered_at < '$end'::timestamptz and ordered_at < '$as_of'::timestamptz
    and not (status = 'cancelled' and coalesce(cancelled_at < '$as_of'::timestamptz, true))
  group by order_id
),
pairs as (
  select order_id, buyer, a.product as first, b.product as second
  from baskets, unnest(products) as a(product), unnest(products) as b(product)
  where first < second
),
alone as (select product, count(*) as orders from baskets, unnest(products) as a(product) group by all),
whole as (
  select (select count(*) from baskets) as orders,
         (select count(*) from pairs) as pairs,
         (select sum(x.orders * y.orders) from alone x, alone y where x.product <> y.product) as by_chance,
         (select count(*) from alone x, alone y where x.product < y.product and least(x.orders, y.orders) >= $min_group)
           as pairs_possible
),
buyers as (select first, second, buyer, count(*) as n from pairs group by all),
shown as (
  select first, second, sum(n)::bigint as n, sum(n * n)::bigint as squares from buyers group by all having sum(n) >= $min_group
)
select b.first, b.second, b.n as orders_with_both, x.orders as orders_with_first, y.orders as orders_with_second,
       w.orders, b.n / w.orders as support_share, b.n / x.orders as second_given_first_rate,
       (b.n / x.orders) / (y.orders / w.orders) as lift,
       2 * w.pairs * w.orders / w.by_chance as lift_of_all_pairs,
       w.pairs_possible, b.squares as both_squares
from shown b join alone x on x.product = b.first join alone y on y.product = b.second, whole w
order by orders_with_both desc, b.first, b.second
