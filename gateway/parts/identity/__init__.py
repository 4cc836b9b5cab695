"""Who drives the crane: people, their cards and the encrypted file that names them."""
