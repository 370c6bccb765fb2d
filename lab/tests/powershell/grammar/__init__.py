"""A grammar of PowerShell: snippets that nobody wrote by hand, the same ones for the same seed."""
