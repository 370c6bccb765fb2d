<#
.SYNOPSIS
Rename this server; the name takes effect with the reboot that follows.
#>
param([Parameter(Mandatory = $true)][string]$NodeName)
$ErrorActionPreference = 'Stop'

Rename-Computer -NewName $NodeName -Force -WarningAction SilentlyContinue
"renamed to $NodeName, a reboot is pending"
