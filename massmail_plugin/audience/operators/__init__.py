"""How fields are compared: the operators of each kind, as words for the screen and as SQL. Reads only."""
