"""`sitewarden demo`: a box, its field and a desk on embedded defaults."""
