"""What a site file and rule packs say of deep pits, and the plan and the rules that are made of it."""
