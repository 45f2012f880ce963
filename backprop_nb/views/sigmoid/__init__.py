"""The sigmoid: its slope, and what that leaves of a gradient."""
