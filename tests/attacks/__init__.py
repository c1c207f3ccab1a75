"""Attacks and bad input, tried against the running software: the sample host with the plugin mounted, through HTTP."""
