"""The authorization server's domain: pure Python that reads like the RFCs."""
