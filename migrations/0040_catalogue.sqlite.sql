-- The catalogue, in editions: a kind's rows are replaced all at once, by publishing another edition of it.
-- Rows of an edition that is not (or no longer) published are removed bit by bit; the editions stay, as
-- the record of what was imported when.
CREATE TABLE catalogue_editions (
    edition integer NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    source text NOT NULL,
    digest text NOT NULL,
    notice text,
    started_at bigint NOT NULL,
    published_at bigint,
    replaced_at bigint,
    swept_at bigint
);
CREATE UNIQUE INDEX catalogue_editions_published ON catalogue_editions (kind)
WHERE published_at IS NOT NULL AND replaced_at IS NULL;

-- An item's number is its edition's number times 2^32, plus its place in the file.
CREATE TABLE catalogue_items (
    item integer NOT NULL PRIMARY KEY,
    edition bigint NOT NULL,
    id text NOT NULL,
    title text NOT NULL,
    document text NOT NULL
);
CREATE UNIQUE INDEX catalogue_items_by_id ON catalogue_items (edition, id);

-- Where items are: points on the sphere of radius 1, so that there is no edge at a pole or at 180 degrees.
-- The tree rounds its boxes outward to 32 bits; the exact point is kept beside.
CREATE VIRTUAL TABLE catalogue_places USING rtree (
    item, min_x, max_x, min_y, max_y, min_z, max_z, +category, +x, +y, +z
);

-- The words by which items are found.
CREATE VIRTUAL TABLE catalogue_words USING fts5 (title, body, tokenize = 'porter unicode61 remove_diacritics 2');

CREATE VIEW v_catalogue AS
SELECT
    e.kind,
    e.source,
    (SELECT count(*) FROM catalogue_items i WHERE i.edition = e.edition) AS items,
    datetime(e.published_at, 'unixepoch') AS published,
    e.edition,
    e.digest,
    e.notice
FROM catalogue_editions e
WHERE e.published_at IS NOT NULL AND e.replaced_at IS NULL
ORDER BY e.kind;
