<#
.SYNOPSIS
Write the CNI configuration and flannel's net-conf.json, without a byte-order mark.
#>
param(
    [Parameter(Mandatory = $true)][string]$CniConf,
    [Parameter(Mandatory = $true)][string]$WindowsNetConf
)
$ErrorActionPreference = 'Stop'

$utf8 = New-Object System.Text.UTF8Encoding($false)
[System.IO.File]::WriteAllText('C:\etc\cni\net.d\10-flannel.conf', $CniConf, $utf8)
[System.IO.File]::WriteAllText('C:\etc\kube-flannel\net-conf.json', $WindowsNetConf, $utf8)
'wrote 10-flannel.conf and net-conf.json'
