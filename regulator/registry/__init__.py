"""What is built where, by whom and with what: registry, the 500 set, imports, coverage, rounds, key-risk tasks."""
