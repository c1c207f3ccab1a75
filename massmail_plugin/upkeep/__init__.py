"""Looks after the installation: the schema of our own tables, and the doctor that says what is missing."""
