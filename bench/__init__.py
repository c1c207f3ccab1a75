"""Measures the engine beside what people would use instead: `make bench`. Its own processes, its own servers."""
