"""The contract's end on the desk's application, and the page of what the intake found."""
