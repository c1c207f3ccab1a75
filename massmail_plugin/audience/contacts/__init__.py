"""The host's contacts as we read them: their addresses, what templates print, whom a user may see. Reads only."""
