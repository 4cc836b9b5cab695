"""One folder for each thing that a bureau does at the desk."""
