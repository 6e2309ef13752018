-- The ledger for an operator in the sqlite3 shell: times in UTC, amounts in dollars, and the names of the
-- client and user as long as they are there.

CREATE VIEW v_payments AS
SELECT
    p.confirmation_number,
    datetime(p.paid_at, 'unixepoch') AS paid,
    printf('$%d.%02d', p.amount_cents / 100, p.amount_cents % 100) AS amount,
    p.account_id,
    a.name AS account_name,
    p.brand || ' ending ' || p.last_four AS payment_method,
    CASE WHEN p.payer LIKE 'guest:%' THEN 'guest' ELSE 'owner' END AS paid_as,
    p.user_id,
    u.name AS user_name,
    p.client_id,
    c.client_name,
    p.balance_before_cents,
    p.balance_after_cents
FROM payments p
LEFT JOIN accounts a ON a.account_id = p.account_id
LEFT JOIN users u ON u.user_id = p.user_id
LEFT JOIN clients c ON c.client_id = p.client_id;
