"""The screens of sign-ups: who waits, who confirmed, and the form for web sites."""
