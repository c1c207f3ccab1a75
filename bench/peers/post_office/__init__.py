"""django-post-office in a Django project of its own, at its best: two processes, and all its mail in one batch."""
