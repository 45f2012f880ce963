"""The course in the hands of those who take it: the lessons, wherever they are to be read."""
