-- How long do answers take, and how much of it is the filter's own time?
SELECT target, model, count(*) AS requests, quantile_cont(duration_ms, 0.5) AS median_ms, quantile_cont(duration_ms, 0.95) AS p95_ms,
    quantile_cont(duration_us, 0.5) AS filter_median_us, quantile_cont(duration_us, 0.99) AS filter_p99_us
FROM records
WHERE decision = 'allow'
GROUP BY target, model
ORDER BY requests DESC, target, model;
