<#
.SYNOPSIS
Does this server carry the planned name, now or after the pending reboot?
#>
param([Parameter(Mandatory = $true)][string]$NodeName)
$ErrorActionPreference = 'Stop'

$names = 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName'
$next = (Get-ItemProperty -Path "$names\ComputerName").ComputerName.ToLowerInvariant()
if ($next -ne $NodeName) {
    if (Test-Path 'C:\etc\kubernetes\kubelet.conf') {
        "the computer name is $next, wanted $NodeName, and a kubelet is already registered under it"
        exit 20
    }
    "the computer name is $next, wanted $NodeName"
    exit 10
}
"the computer name is $next"
