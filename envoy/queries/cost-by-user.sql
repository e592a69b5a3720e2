-- Who costs most?
SELECT "user", team, currency, sum(cost) AS cost, count(*) AS requests, sum(total_tokens) AS tokens, list(DISTINCT model ORDER BY model) AS models
FROM records
GROUP BY "user", team, currency
ORDER BY cost DESC NULLS LAST, requests DESC, "user"
LIMIT 100;
