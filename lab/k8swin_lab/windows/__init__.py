"""Commands of Windows over the state of a simulated machine.

`cmdlets/` holds the PowerShell cmdlets of Windows' own modules, one family per module; `programs/`, `docker/` and
`kubernetes/` hold the executables (sc.exe, docker.exe, kubeadm.exe ...); `host` shows the machine to PowerShell, and
`container` is what runs in a pod. All of it only reads and changes `machines.windows.WindowsMachine`, which is given it
as its `software`; nothing opens a socket or knows which script calls it.
"""
