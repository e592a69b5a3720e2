-- What was refused, or would have been (`observe`), why, and to how many?
SELECT reason, action, count(*) AS requests, count(DISTINCT coalesce("user", workload)) AS callers, mode(model) AS mostly_for, max(moment) AS last
FROM records
WHERE decision = 'deny'
GROUP BY reason, action
ORDER BY requests DESC, reason, action;
