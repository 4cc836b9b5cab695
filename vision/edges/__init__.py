"""Edge protection: is the rail, net or cover that was there when the edge was surveyed still there, and who stands at
the gap. `EdgeWatch` puts the parts together; each part is pure and takes time as an argument. docs/edges.md says how
to survey, and what the check cannot see."""
