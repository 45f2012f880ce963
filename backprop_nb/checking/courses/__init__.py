"""Backward passes as courses write them, each with the lines in which they go wrong."""
