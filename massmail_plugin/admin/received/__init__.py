"""The screens of what came in."""
