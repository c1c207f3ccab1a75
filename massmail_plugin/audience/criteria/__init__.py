"""Criteria: rules read from JSON, held against the host's fields, and made into SQL and sentences. Reads only."""
