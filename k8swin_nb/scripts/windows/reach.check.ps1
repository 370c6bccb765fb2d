<#
.SYNOPSIS
Who am I, and on what? Proves that the login works.
#>
param()
$ErrorActionPreference = 'Stop'

$version = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
"$($env:COMPUTERNAME.ToLowerInvariant()): $($version.ProductName) $($version.CurrentBuildNumber).$($version.UBR), $env:USERNAME"
