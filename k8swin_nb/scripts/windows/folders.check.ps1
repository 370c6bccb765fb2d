<#
.SYNOPSIS
Are the folders there, is C:\k on the machine's PATH once, and is the network configuration saved?
#>
param([Parameter(Mandatory = $true)][string]$Folders)
$ErrorActionPreference = 'Stop'
# uses: Test-SavedNetwork

$missing = @($Folders -split ';' | Where-Object { -not (Test-Path -Path $_ -PathType Container) })
$path = @([Environment]::GetEnvironmentVariable('Path', 'Machine') -split ';' | Where-Object { $_ -eq 'C:\k' })
$saved = Test-SavedNetwork
$recorded = Test-Path 'C:\k8swin\state\found.json'
if ($missing -or $path.Count -ne 1 -or -not $saved -or -not $recorded) {
    "missing folders: $($missing -join ' '); C:\k on PATH: $($path.Count) times; network configuration saved: $saved; what was found is recorded: $recorded"
    exit 10
}
'folders, PATH and the saved network configuration are in place'
