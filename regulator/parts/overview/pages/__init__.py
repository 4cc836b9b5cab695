"""The first page and the API's overview."""
