"""PowerShell in Python, as Windows PowerShell 5.1 behaves: language, pipeline, formatting, the usual .NET types.

What may live here: everything that is true of PowerShell on any machine. What may not: Windows; services, features and
networks are cmdlets of `k8swin_lab.windows` over a machine's state.
"""
