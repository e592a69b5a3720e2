-- Which policy was in force when?
SELECT policy, policy_digest, min(moment) AS first, max(moment) AS last, count(*) AS requests
FROM records
GROUP BY policy, policy_digest
ORDER BY first;
