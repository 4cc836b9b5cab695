"""Commands that need more than one package."""
