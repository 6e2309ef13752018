-- The audit log with times in UTC, and the names of clients and users that are still there.

CREATE VIEW v_audit AS
SELECT
    a.id,
    datetime(a.time, 'unixepoch') AS at,
    a.event,
    c.client_name,
    u.name AS user_name,
    a.address,
    a.detail,
    a.client_id,
    a.user_id,
    a.grant_id
FROM audit_log a
LEFT JOIN clients c ON c.client_id = a.client_id
LEFT JOIN users u ON u.user_id = a.user_id;
