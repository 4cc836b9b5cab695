"""Sealed records: what is kept of an alarm, and the chain that holds the records together."""
