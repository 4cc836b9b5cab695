"""Pages of documents, media and verification."""
