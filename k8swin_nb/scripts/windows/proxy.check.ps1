<#
.SYNOPSIS
If this server uses a web proxy: do the cluster's addresses pass it by, and does the container runtime know it?
.DESCRIPTION
Services are started with the environment that the service manager read at boot. What is to hold for the
container runtime now is therefore written to its service too.
#>
param(
    [Parameter(Mandatory = $true)][string]$NoProxy,
    [Parameter(Mandatory = $true)][string]$RuntimeService
)
$ErrorActionPreference = 'Stop'
# uses: Get-Unspared Test-RestartDue

$machine = [ordered]@{}
foreach ($name in 'HTTP_PROXY', 'HTTPS_PROXY') {
    $value = [Environment]::GetEnvironmentVariable($name, 'Machine')
    if ($value) { $machine[$name] = $value }
}
if ($machine.Count -eq 0) {
    'this server uses no web proxy'
    exit 0
}
$except = @(([string][Environment]::GetEnvironmentVariable('NO_PROXY', 'Machine')) -split ',' | ForEach-Object { $_.Trim() })
$lacks = ''
$missing = @(Get-Unspared $NoProxy $except)
if ($missing) {
    foreach ($item in $missing) { "would: NO_PROXY of the machine: without $item -> with it" }
    $except += $missing
    $lacks = "NO_PROXY of the machine lacks $($missing -join ' ')"
}
$wanted = @($machine.Keys | ForEach-Object { "$_=$($machine[$_])" }) + "NO_PROXY=$($except -join ',')"
$key = "HKLM:\SYSTEM\CurrentControlSet\Services\$RuntimeService"
$found = @()
$properties = $null
if (Test-Path $key) { $properties = Get-ItemProperty -Path $key }
if ($properties -and $properties.PSObject.Properties['Environment']) { $found = @($properties.Environment) }
$differs = @($wanted | Where-Object { $found -notcontains $_ })
if ($differs -or (Test-RestartDue $RuntimeService)) {
    "would: service ${RuntimeService}: without the server's proxy -> with it, started anew"
    if (-not $lacks) { $lacks = "the service $RuntimeService does not know the proxy of this server" }
}
if ($lacks) {
    $lacks
    exit 10
}
"the service $RuntimeService uses the proxy of this server, the cluster's addresses pass it by"
