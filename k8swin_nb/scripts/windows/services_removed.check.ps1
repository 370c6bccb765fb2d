<#
.SYNOPSIS
Are the services gone that these notebooks defined for the cluster?
#>
param()
$ErrorActionPreference = 'Stop'

# Ours is a service in which nssm runs our program, or the script that starts it in the classic profile.
function Test-Ours([string]$Name) {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Name\Parameters"
    if (-not (Test-Path $key)) { return $false }
    $run = Get-ItemProperty -Path $key
    $run.Application -eq "C:\k\$Name.exe" -or "$($run.AppParameters)".EndsWith("-File C:\k8swin\$Name.ps1")
}

$left = @()
foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (Test-Ours $name) { $left += $name }
}
if ($left) {
    "services of the cluster: $($left -join ', ')"
    exit 10
}
'no service of the cluster is defined'
