-- How close do callers come to limits? The least that was left, and refusals.
WITH held AS (SELECT coalesce("user", workload) AS caller, decision, reason, rules, unnest(string_split(limit_remaining, ',')) AS entry FROM records)
SELECT regexp_extract(entry, '^(.*)=', 1) AS limit_id, caller, min(CAST(regexp_extract(entry, '=([0-9.]+)$', 1) AS DOUBLE)) AS least_left, count(*) AS requests,
    count(*) FILTER (WHERE decision = 'deny' AND reason LIKE 'limit.%' AND list_contains(string_split(rules, ','), regexp_extract(entry, '^(.*)=', 1))) AS refused
FROM held
GROUP BY ALL
ORDER BY refused DESC, least_left, limit_id, caller;
