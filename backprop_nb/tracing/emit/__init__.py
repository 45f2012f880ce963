"""The trace as text: NumPy source and LaTeX, both printed from the rows' own templates."""
