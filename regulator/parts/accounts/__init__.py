"""People at the desk: their pages, and what is cleaned after them."""
