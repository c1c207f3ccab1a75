"""Who is on which list, since when and how we know: changes with history and numbers. Flushes, never commits."""
