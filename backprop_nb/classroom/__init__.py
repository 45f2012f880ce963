"""A class of submissions: each asked in a process of its own, and judged outside of it."""
