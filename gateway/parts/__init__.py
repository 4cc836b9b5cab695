"""One folder for each thing that a site has or a box does."""
