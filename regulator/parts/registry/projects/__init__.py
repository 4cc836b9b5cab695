"""Projects, regions, devices and the set of 500: who is who."""
