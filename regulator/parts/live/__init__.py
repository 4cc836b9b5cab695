"""Live video on request: asked by a person, pushed by a box that only calls out, passed on and kept nowhere."""
