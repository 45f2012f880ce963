"""The gradient's flow: what a network does to a gradient on its way back."""
