"""The screens of mailings: draft, check, launch, the run."""
