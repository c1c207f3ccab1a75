"""The mail catcher: an SMTP server that keeps what it accepts, and pages that stand in for the mailboxes."""
