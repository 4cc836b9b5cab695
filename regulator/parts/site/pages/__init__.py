"""Pages of messages to a site."""
