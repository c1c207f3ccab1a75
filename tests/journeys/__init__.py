"""What people do from the first page to the last, in a browser and over HTTP, on running hosts."""
