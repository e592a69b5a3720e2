-- What does each team cost in each month? Months are UTC's; exchanges without a price (refused ones, say) have a line of their own.
SELECT month, team, currency, sum(cost) AS cost, count(*) AS requests, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
    count(*) FILTER (WHERE estimated) AS estimated
FROM records
GROUP BY month, team, currency
ORDER BY month, cost DESC NULLS LAST, team, currency;
