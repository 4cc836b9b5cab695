"""The program: command line, composition, demo. The only package that knows all others."""
