"""Measures how well the readers understand a labelled collection of bounces and webhook requests."""
