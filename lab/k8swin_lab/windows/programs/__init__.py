"""Executables of Windows and of Kubernetes for Windows, one or a few related ones per module."""
