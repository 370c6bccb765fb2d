<#
.SYNOPSIS
Are the services gone that these notebooks defined for the cluster?
#>
param()
$ErrorActionPreference = 'Stop'

$left = @()
foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$name\Parameters"
    if ((Test-Path $key) -and [string](Get-ItemProperty -Path $key).Application -eq "C:\k\$name.exe") { $left += $name }
}
if ($left) {
    "services of the cluster: $($left -join ', ')"
    exit 10
}
'no service of the cluster is defined'
