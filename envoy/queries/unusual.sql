-- Who is far from what is usual for them, in what, and since when?
WITH seen AS (SELECT coalesce("user", workload) AS caller, team, moment, unnest(string_split(anomaly, ',')) AS watch FROM records WHERE anomaly IS NOT NULL)
SELECT caller, team, watch, count(*) AS requests, min(moment) AS first, max(moment) AS last
FROM seen
GROUP BY caller, team, watch
ORDER BY requests DESC, caller, watch;
