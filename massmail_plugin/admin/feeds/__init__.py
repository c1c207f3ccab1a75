"""The screens of event feeds."""
