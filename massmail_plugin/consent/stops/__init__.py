"""What keeps mail from people: suppressions, wishes for fewer mails, the check at hand-off. Flushes, never commits."""
