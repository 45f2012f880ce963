"""The explorer: a traced graph, stepped forward and backward."""
