"""The desk's signing key: opening, changing, following."""
