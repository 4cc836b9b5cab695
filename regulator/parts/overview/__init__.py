"""The first page's figures: what is open, late, silent and waiting, within the scope of whoever looks."""
