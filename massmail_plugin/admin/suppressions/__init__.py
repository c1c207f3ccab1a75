"""The screens of suppressions."""
