-- Which tools were offered or called, and what was done about that?
WITH used AS (
    SELECT team, unnest(string_split(tools, ',')) AS entry FROM records WHERE tools IS NOT NULL
    UNION ALL
    SELECT team, 'mcp:' || tool || '/' || action || '=1' FROM records WHERE tool IS NOT NULL
)
SELECT regexp_extract(entry, ':(.*)/', 1) AS tool, regexp_extract(entry, '^([^:]*):', 1) AS how, regexp_extract(entry, '/([^/=]*)=', 1) AS action,
    sum(CAST(regexp_extract(entry, '=([0-9]+)$', 1) AS BIGINT)) AS times, list(DISTINCT team ORDER BY team) AS teams
FROM used
GROUP BY ALL
ORDER BY times DESC, tool, how, action;
