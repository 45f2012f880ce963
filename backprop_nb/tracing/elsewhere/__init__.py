"""A traced function computed with another array library than NumPy."""
