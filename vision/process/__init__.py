"""What a camera's or the eye's own process may do: walls, providers, its end."""
