-- For an operator in the sqlite3 shell: which sessions there are, whose, how long they last, and what waits
-- in them. A session in use now is noted as such within a minute.

CREATE VIEW v_mcp_sessions AS
SELECT
    substr(s.session_digest, 1, 16) AS session_id,
    s.client_id,
    c.client_name,
    s.user_id,
    u.name AS user_name,
    json_extract(s.client_params, '$.clientInfo.name') AS software,
    json_extract(s.client_params, '$.clientInfo.version') AS software_version,
    s.protocol_version,
    datetime(s.created_at, 'unixepoch') AS opened,
    datetime(s.used_at, 'unixepoch') AS last_used,
    datetime(s.used_at + 3600, 'unixepoch') AS expires,
    CASE
        WHEN s.used_at + 3600 <= CAST(strftime('%s', 'now') AS integer) THEN 'expired'
        ELSE 'live'
    END AS status,
    (SELECT count(*) FROM mcp_events e WHERE e.session_digest = s.session_digest) AS events,
    (SELECT coalesce(sum(e.size), 0) FROM mcp_events e WHERE e.session_digest = s.session_digest) AS event_bytes
FROM mcp_sessions s
LEFT JOIN clients c ON c.client_id = s.client_id
LEFT JOIN users u ON u.user_id = s.user_id;
