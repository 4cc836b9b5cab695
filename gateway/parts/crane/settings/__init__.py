"""What a site file and rule packs say of tower cranes, and the plan that is made of it."""
