"""What is to be seen: scenes as plain data, drawn as figures and as widgets."""
