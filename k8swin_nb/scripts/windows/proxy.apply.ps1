<#
.SYNOPSIS
Let the cluster's addresses pass the web proxy by, and tell the container runtime's service of the proxy.
.DESCRIPTION
NO_PROXY of the machine only grows: what stands in it stays. What is added, and the variables that the service had, are
written down before, for the removal to take them back.
#>
param(
    [Parameter(Mandatory = $true)][string]$NoProxy,
    [Parameter(Mandatory = $true)][string]$RuntimeService
)
$ErrorActionPreference = 'Stop'
# uses: Get-Unspared Restart-ChangedService Save-Text Set-RestartDue

$except = @(([string][Environment]::GetEnvironmentVariable('NO_PROXY', 'Machine')) -split ',' | ForEach-Object { $_.Trim() } | Where-Object { $_ })
$added = @(Get-Unspared $NoProxy $except)
$except += $added
$key = "HKLM:\SYSTEM\CurrentControlSet\Services\$RuntimeService"
$lines = @()
$properties = Get-ItemProperty -Path $key
$record = 'C:\k8swin\state\proxy.json'
if (-not (Test-Path $record)) {
    $found = [ordered]@{ added = $added; service = $RuntimeService; environment = @($properties.Environment | Where-Object { $_ }) }
    Save-Text $record ($found | ConvertTo-Json)
}
Set-RestartDue $RuntimeService
[Environment]::SetEnvironmentVariable('NO_PROXY', ($except -join ','), 'Machine')
if ($properties.PSObject.Properties['Environment']) {
    $lines = @($properties.Environment | Where-Object { $_ -notmatch '^(HTTP_PROXY|HTTPS_PROXY|NO_PROXY)=' })
}
foreach ($name in 'HTTP_PROXY', 'HTTPS_PROXY') {
    $value = [Environment]::GetEnvironmentVariable($name, 'Machine')
    if ($value) { $lines += "$name=$value" }
}
$lines += "NO_PROXY=$($except -join ',')"
New-ItemProperty -Path $key -Name Environment -PropertyType MultiString -Value ([string[]]$lines) -Force | Out-Null
Restart-ChangedService $RuntimeService
"the service $RuntimeService is restarted with the proxy of this server"
