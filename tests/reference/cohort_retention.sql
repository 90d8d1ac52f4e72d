-- A calendar of months beside each cohort, and a look for orders in each of its cells.
with kept as (
  select customer_id, date_trunc('month', ordered_at at time zone '$zone')::date as month
  from orders
  where customer_id is not null and status <> 'cancelled' and ordered_at < '$as_of'::timestamptz
),
members as (select customer_id, min(month) as cohort_month from kept group by 1),
cohorts as (select cohort_month, count(*) as customers from members group by 1),
cells as (
  select cohort_month, customers, unnest(generate_series(
    cohort_month::timestamp, ('$as_of'::timestamptz at time zone '$zone') - interval 1 microsecond, interval 1 month
  ))::date as month
  from cohorts
),
counted as (
  select cohort_month, customers, cells.month,
         (select count(distinct kept.customer_id) from kept join members using (customer_id)
          where members.cohort_month = cells.cohort_month and kept.month = cells.month) as active_customers
  from cells
)
select cohort_month,
       date_diff('month', cohort_month, month) as months_since,
       customers,
       active_customers,
       case when month + interval 1 month <= ('$as_of'::timestamptz at time zone '$zone')
            then active_customers / customers end as retention_rate
from counted
order by 1, 2
