-- Who sent this text? By its keyed digest (`audit.key` in the policy): that of the whole body, as it came.
--   printf %s "$body" | openssl dgst -sha256 -hmac "$AUDIT_KEY"
--   SET VARIABLE digest = 'hmac-sha256:<hex>';
SELECT moment, "user", team, workload, auth, credential, client, model, target, decision, action, request_id
FROM records
WHERE content_in = getvariable('digest') OR content_out = getvariable('digest')
ORDER BY moment;
