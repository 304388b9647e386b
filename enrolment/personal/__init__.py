"""The worker's own page, the personal links that open it, and what they do there: consents, download, leaving, erasure."""
