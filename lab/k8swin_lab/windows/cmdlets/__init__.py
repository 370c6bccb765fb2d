"""Cmdlets of Windows' modules, one family per module; each module has a `register(table)`."""
