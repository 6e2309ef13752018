-- When the last of a grant's tokens ends. It is written with the tokens, into a row that is written then anyway, and
-- so spares them the indexes by grant, for which every token pays with a page of its own. Null while there was none.
ALTER TABLE grants ADD COLUMN tokens_until bigint;
UPDATE grants SET tokens_until = (
    SELECT max(t.expires_at) FROM (
        SELECT a.expires_at FROM access_tokens a WHERE a.grant_id = grants.grant_id
        UNION ALL
        SELECT r.expires_at FROM refresh_tokens r WHERE r.grant_id = grants.grant_id AND r.used_at IS NULL
    ) AS t
);
DROP INDEX access_tokens_by_grant;
DROP INDEX refresh_tokens_by_grant;
