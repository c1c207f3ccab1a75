"""Real servers (Redis, PostgreSQL), started as children of the demo and of the tests."""
