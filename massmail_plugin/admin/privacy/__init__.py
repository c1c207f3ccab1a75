"""The screens of data protection."""
