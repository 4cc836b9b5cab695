"""Documents, tables and evidence packages that others can verify without the desk."""
