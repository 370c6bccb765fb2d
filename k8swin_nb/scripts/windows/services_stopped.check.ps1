<#
.SYNOPSIS
Does none of the services run that these notebooks defined for the cluster?
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Test-OwnService

$running = @()
foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (-not (Test-OwnService $name)) { continue }
    $service = Get-Service -Name $name -ErrorAction SilentlyContinue
    if ($service -and $service.Status -ne 'Stopped') { $running += "$name is $($service.Status)" }
}
if ($running) {
    "to be stopped: $($running -join ', ')"
    exit 10
}
'no service of the cluster runs'
