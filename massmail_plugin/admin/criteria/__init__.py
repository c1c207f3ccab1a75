"""The screens of criteria: the builder, the count, the sample."""
