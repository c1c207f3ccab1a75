"""Finding and choosing contacts, and the panel on the host's own contact page."""
