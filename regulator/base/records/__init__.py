"""The desk's database: engine, tables, migrations, and the ledger that every decision is written into."""
