"""What contacts want: opting out, pausing, coming back, and telling the host. Flushes, never commits."""
