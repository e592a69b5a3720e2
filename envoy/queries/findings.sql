-- What do texts carry, in which direction, and what was done about it, by team?
WITH found AS (SELECT team, coalesce("user", workload) AS caller, unnest(string_split(findings, ',')) AS finding FROM records WHERE findings IS NOT NULL)
SELECT team, regexp_extract(finding, '^([^:]*):', 1) AS direction, regexp_extract(finding, ':(.*)/', 1) AS type,
    regexp_extract(finding, '/([^/=]*)=', 1) AS action, sum(CAST(regexp_extract(finding, '=([0-9]+)$', 1) AS BIGINT)) AS findings,
    count(DISTINCT caller) AS callers
FROM found
GROUP BY ALL
ORDER BY findings DESC, team, type, direction, action;
