<#
.SYNOPSIS
Delete the services that these notebooks defined for the cluster, and wait until Windows has let them go.
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
