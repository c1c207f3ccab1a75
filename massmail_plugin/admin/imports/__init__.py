"""The screens of imports: bring a file, choose its columns, see what it would do, do it."""
