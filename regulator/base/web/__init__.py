"""The desk's pages and its API for programs."""
