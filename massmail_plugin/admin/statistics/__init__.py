"""The section Statistics: mailings of some time together, and single contacts and templates."""
