<#
.SYNOPSIS
Write the CNI configuration and flannel's net-conf.json, without a byte-order mark.
#>
param(
    [Parameter(Mandatory = $true)][string]$CniConf,
    [Parameter(Mandatory = $true)][string]$CniFolder,
    [Parameter(Mandatory = $true)][string]$CniFile,
    [Parameter(Mandatory = $true)][string]$WindowsNetConf,
    [Parameter(Mandatory = $true)][string]$NetConfFiles
)
$ErrorActionPreference = 'Stop'

$utf8 = New-Object System.Text.UTF8Encoding($false)
[System.IO.File]::WriteAllText("$CniFolder\$CniFile", $CniConf, $utf8)
foreach ($file in $NetConfFiles -split ';') { [System.IO.File]::WriteAllText($file, $WindowsNetConf, $utf8) }
"wrote $CniFile and net-conf.json"
