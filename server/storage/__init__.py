"""The only room with SQL: what is kept, in one database."""
