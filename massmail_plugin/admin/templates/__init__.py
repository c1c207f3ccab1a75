"""The screens of templates: list, form, preview, test."""
