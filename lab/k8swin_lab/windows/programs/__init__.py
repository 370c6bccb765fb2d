"""Executables of Windows, and nssm, one or a few related ones per module; those of Kubernetes and Docker lie beside."""
