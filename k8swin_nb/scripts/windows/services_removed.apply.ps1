<#
.SYNOPSIS
Delete the services that these notebooks defined for the cluster, and wait until Windows has let them go.
#>
param()
$ErrorActionPreference = 'Stop'

function Test-Ours([string]$Name) {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Name\Parameters"
    if (-not (Test-Path $key)) { return $false }
    $found = Get-ItemProperty -Path $key
    if ([string]$found.Application -eq "C:\k\$Name.exe") { return $true }
    # An early flanneld is started by a script of ours.
    [string]$found.Application -like '*\powershell.exe' -and ([string]$found.AppParameters).EndsWith("-File C:\k8swin\$Name.ps1")
}

foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    if (-not (Test-Ours $name)) { continue }
    if ((Get-Service -Name $name).Status -ne 'Stopped') { Stop-Service -Name $name -Force }
    & sc.exe delete $name | Out-Null
    # 1072: marked for deletion already.
    if ($LASTEXITCODE -ne 0 -and $LASTEXITCODE -ne 1072) { throw "sc.exe delete $name ended with $LASTEXITCODE" }
    foreach ($attempt in 1..20) {
        if (-not (Get-Service -Name $name -ErrorAction SilentlyContinue)) { break }
        Start-Sleep -Seconds 1
    }
    if (Get-Service -Name $name -ErrorAction SilentlyContinue) {
        throw "the service $name is marked for deletion and held by another program: close the Services console, then run again"
    }
    "$name is removed"
}
