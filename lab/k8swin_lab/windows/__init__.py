"""Commands of Windows over the state of a simulated machine.

`cmdlets/` holds the PowerShell cmdlets of Windows' own modules, one family per module; `programs/` holds the
executables (sc.exe, nssm.exe, kubeadm.exe ...). Both only read and change `machines.windows.WindowsMachine`;
neither opens a socket nor knows which script calls it.
"""
