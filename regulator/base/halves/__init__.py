"""A desk in two processes, two cores: one hears boxes and owns the port, the other makes pages and does the jobs."""
