"""The mistakes, by the stage of a backward pass that they belong to."""
