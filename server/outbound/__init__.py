"""What this server asks of other servers: documents that strangers name, fetched under guard."""
