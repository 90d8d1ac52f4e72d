WITH called AS (
    SELECT *, CASE WHEN user_id IS NOT NULL THEN 'a' || user_id WHEN email_hash IS NOT NULL THEN 'b' || email_hash
                   ELSE 'c' || anonymous_id END AS sent
    FROM events
), told AS (
    SELECT DISTINCT ON (order_id) order_id, sent FROM called
    WHERE event_name = 'Order Completed' AND order_id IS NOT NULL ORDER BY order_id, sent
), bought AS (
    SELECT coalesce(told.sent, customer_id) AS before, customer_id AS after
    FROM orders LEFT JOIN told USING (order_id) WHERE status <> 'cancelled' AND customer_id IS NOT NULL
), counted AS (
    SELECT 'before' AS merging, before AS customer, count(*) AS orders FROM bought GROUP BY ALL
    UNION ALL SELECT 'after', after, count(*) FROM bought GROUP BY ALL
)
SELECT merging,
    CASE merging WHEN 'before' THEN (SELECT count(DISTINCT sent) FROM called)
                 ELSE (SELECT count(DISTINCT person_id) FROM called) END AS people,
    count(*) AS customers,
    sum((orders >= 2)::INT)::BIGINT AS repeat_buyers,
    avg((orders >= 2)::INT::DOUBLE) AS repeat_buyers_share
FROM counted GROUP BY merging ORDER BY merging DESC
