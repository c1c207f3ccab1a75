"""The plugin against real mail servers: Postfix makes the bounces, Dovecot keeps the mailboxes. All on loopback."""
