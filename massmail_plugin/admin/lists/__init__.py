"""The screens of lists: people, adding by contact, criterion or file."""
