"""What leaves the desk and must hold elsewhere: documents, tables, evidence packages."""
