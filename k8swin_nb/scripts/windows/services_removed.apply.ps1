<#
.SYNOPSIS
Delete the services that these notebooks defined for the cluster, and wait until Windows has let them go.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Test-OwnService Remove-WindowsService

foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (-not (Test-OwnService $name)) { continue }
    Remove-WindowsService $name
    if (Get-Service -Name $name -ErrorAction SilentlyContinue) {
        throw "the service $name is marked for deletion and held by another program: close the Services console, then run again"
    }
    "$name is removed"
}
