"""The registry: projects, firms and machines, the 500 set, imports, coverage, rounds, key-risk tasks."""
