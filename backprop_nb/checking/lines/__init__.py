"""Which line of a backward pass is wrong."""
