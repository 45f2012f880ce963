"""The game: find the mistake in a backward pass."""
