-- What did each statement of the policies do?
WITH acted AS (
    SELECT unnest(string_split(rules, ',')) AS statement, decision, action, moment, 1 AS acted, 0 AS looked_on FROM records WHERE rules IS NOT NULL
    UNION ALL
    SELECT unnest(string_split(observed, ',')), decision, action, moment, 0, 1 FROM records WHERE observed IS NOT NULL
)
SELECT statement, sum(acted) AS acted, coalesce(sum(acted) FILTER (WHERE decision = 'deny' AND action <> 'observe'), 0) AS denied, sum(looked_on) AS looked_on,
    min(moment) AS first, max(moment) AS last
FROM acted
GROUP BY statement
ORDER BY acted DESC, looked_on DESC, statement;
