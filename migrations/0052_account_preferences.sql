-- What a customer would rather have, once they have said so; autopay is a column of accounts.
CREATE TABLE account_preferences (
    account_id text NOT NULL PRIMARY KEY,
    paperless integer NOT NULL CHECK (paperless IN (0, 1)),
    language text NOT NULL,
    contact_method text NOT NULL,
    contact_email text,
    contact_phone text,
    updated_at bigint NOT NULL
);
