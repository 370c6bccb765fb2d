<#
.SYNOPSIS
Delete the services that these notebooks defined for the cluster, and wait until Windows has let them go.
#>
param()
$ErrorActionPreference = 'Stop'

foreach ($name in 'kube-proxy', 'kubelet', 'flanneld') {
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$name\Parameters"
    if (-not (Test-Path $key)) { continue }
    if ([string](Get-ItemProperty -Path $key).Application -ne "C:\k\$name.exe") { continue }
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
