"""The others: what a Flask developer writes first, what a Django project installs, and the limit of the machine."""
