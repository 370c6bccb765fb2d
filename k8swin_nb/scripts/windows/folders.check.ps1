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
    foreach ($folder in $missing) { "would: folder ${folder}: not there -> made" }
    if ($path.Count -ne 1) { "would: PATH of the machine: C:\k $($path.Count) times -> once" }
    if (-not $saved) { 'would: network configuration: not saved -> saved in C:\k8swin\state' }
    if (-not $recorded) { 'would: record of what was found: none -> C:\k8swin\state\found.json' }
    "missing folders: $($missing -join ' '); C:\k on PATH: $($path.Count) times; network configuration saved: $saved; what was found is recorded: $recorded"
    exit 10
}
'folders, PATH and the saved network configuration are in place'
