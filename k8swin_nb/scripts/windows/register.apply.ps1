<#
.SYNOPSIS
Start the kubelet and wait until it has registered the node, for two minutes at most.
.DESCRIPTION
flanneld needs the node's own pod network, which the control plane gives to a node once it is registered. The
kubelet is a service: it outlives this connection. When it does not register it is stopped again, and the end
of its log says why.
#>
param(
    [Parameter(Mandatory = $true)][string]$NodeName,
    [int]$RegisterSeconds = 120
)
$ErrorActionPreference = 'Stop'
# uses: Restart-WrappedService Stop-WindowsService Test-RegisteredNode

# A kubelet registers its node when it starts, and at no other time.
Restart-WrappedService kubelet
$watch = [System.Diagnostics.Stopwatch]::StartNew()
while (-not (Test-RegisteredNode $NodeName)) {
    if ($watch.Elapsed.TotalSeconds -gt $RegisterSeconds) {
        $log = @()
        if (Test-Path 'C:\var\log\kubelet\kubelet.log') { $log = @(Get-Content -Path 'C:\var\log\kubelet\kubelet.log' -Tail 5 -Encoding UTF8) }
        # Why it did not comes first; one that nssm is about to start again may refuse to stop.
        try { Stop-WindowsService kubelet } catch { $log += $_.Exception.Message }
        throw "the node $NodeName did not register in $RegisterSeconds s; the kubelet's log ends with: $($log -join ' | ')"
    }
    Start-Sleep -Seconds 2
}
"the node $NodeName is registered"
exit 0
