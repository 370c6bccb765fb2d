<#
.SYNOPSIS
Are the services gone that these notebooks defined for the cluster?
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Test-OwnService

$left = @()
foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (Test-OwnService $name) { $left += $name }
}
if ($left) {
    "services of the cluster: $($left -join ', ')"
    exit 10
}
'no service of the cluster is defined'
