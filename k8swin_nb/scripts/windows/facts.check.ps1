<#
.SYNOPSIS
Print this server's facts as one JSON document.
#>
param()
$ErrorActionPreference = 'Stop'

$version = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$boot = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime()
[ordered]@{
    name    = $env:COMPUTERNAME.ToLowerInvariant()
    product = $version.ProductName
    build   = [int]$version.CurrentBuildNumber
    ubr     = [int]$version.UBR
    booted  = $boot.ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture)
} | ConvertTo-Json -Compress
