"""The catalogue: what can be sold and looked up, as rows that come out of files and are kept in the database."""
