-- Which models does a team use, and how much?
--   SET VARIABLE team = 'search';
SELECT model, provider, count(*) AS requests, count(DISTINCT "user") AS users, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, sum(cost) AS cost, any_value(currency) AS currency, min(moment) AS first, max(moment) AS last
FROM records
WHERE team = getvariable('team') AND model IS NOT NULL
GROUP BY model, provider
ORDER BY cost DESC NULLS LAST, requests DESC, model;
