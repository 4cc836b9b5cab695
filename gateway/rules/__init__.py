"""Rules judge samples: TRUE, FALSE or UNKNOWN. One file a family; the table of families is `gateway.rules.table`."""
