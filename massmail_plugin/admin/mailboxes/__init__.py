"""The screens of mailboxes."""
