<#
.SYNOPSIS
Has the pod network that others made come up on this worker: a CNI configuration, its plugin, an HNS network?
#>
param([Parameter(Mandatory = $true)][string]$PodNetwork)
$ErrorActionPreference = 'Stop'
# uses: Wait-Hns

$missing = @()
$files = @(Get-ChildItem -Path 'C:\etc\cni\net.d' -ErrorAction SilentlyContinue | Where-Object { $_.Name -match '\.(conf|conflist|json)$' } | ForEach-Object { $_.Name })
if (-not $files) { $missing += 'a CNI configuration in C:\etc\cni\net.d' }
$networks = @()
if (Get-Command Get-HnsNetwork -ErrorAction SilentlyContinue) {
    # It comes up just now: HNS may answer nobody while it binds the adapter.
    try {
        $networks = @(Wait-Hns { Get-HnsNetwork } 20 | Where-Object { $_.Name -and @('NAT', 'ICS') -notcontains $_.Type } | ForEach-Object { $_.Name })
    } catch {
        $missing += "an answer of the host network service ($($_.Exception.Message))"
    }
}
if (-not $networks) { $missing += 'an HNS network' }
if ($missing) {
    "hint: see that the DaemonSet of $PodNetwork for Windows runs on this node, which phase.handover() of 01_network says more of"
    "$PodNetwork has not brought $($missing -join ' and ') yet"
    exit 10
}
"$PodNetwork has brought $($files -join ', ') and the HNS network $($networks -join ', ')"
