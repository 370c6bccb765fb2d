<#
.SYNOPSIS
Are the folders and files gone that were made on this server, and is C:\k off the machine's PATH?
.DESCRIPTION
What was there before the first step is in found.json and stays. Folders that others use too go only when
they are empty.
#>
param([Parameter(Mandatory = $true)][string]$RemovedPlaces)
$ErrorActionPreference = 'Stop'
# uses: Read-Json Test-ImageLayer Test-OwnFolder Test-Written

# Is nothing in a folder of ours but files of others, which were put back when ours were removed?
function Test-OthersAlone([string]$Path) {
    if (-not (Test-OwnFolder $Path)) { return $false }
    $files = @(Get-ChildItem -LiteralPath $Path -Recurse -Force | Where-Object { -not $_.PSIsContainer } | ForEach-Object { $_.FullName })
    $files.Count -gt 0 -and -not @($files | Where-Object { Test-Written $_ })
}

$record = 'C:\k8swin\state\found.json'
if (-not (Test-Path $record)) {
    'nothing that was made here is left; the Containers feature and the host name stay'
    exit 0
}
$found = Read-Json $record
$left = @()
$layers = @()
$places = ConvertFrom-Json $RemovedPlaces
foreach ($place in $places) {
    if (@($found.places) -contains $place.path -or -not (Test-Path -LiteralPath $place.path)) { continue }
    if ($place.kind -eq 'empty' -and @(Get-ChildItem -LiteralPath $place.path -Force).Count -gt 0) { continue }
    if (Test-OthersAlone $place.path) { continue }
    if (Test-ImageLayer $place.path) { $layers += $place.path } else { $left += $place.path }
}
$path = @([Environment]::GetEnvironmentVariable('Path', 'Machine') -split ';' | Where-Object { $_ -eq 'C:\k' })
if (-not $found.path -and $path) { $left += 'C:\k on PATH' }
foreach ($task in 'k8swin-pod-network', 'k8swin-hns-removed', 'k8swin-windows-update', 'k8swin-containerd-log') {
    if (Get-ScheduledTask -TaskName $task -ErrorAction SilentlyContinue) { $left += "the task $task" }
}
if (Test-Path 'C:\k8swin\state\proxy.json') { $left += 'addresses in NO_PROXY' }
if (Test-Path 'C:\k8swin\state\defender.json') { $left += 'exclusions from Microsoft Defender' }
$own = @('jobs', 'downloads', 'owned', 'network.json', 'join.yaml', 'flanneld.ps1' | Where-Object { Test-Path "C:\k8swin\$_" })
if ($own) { $left += 'the records in C:\k8swin' }
if ($left) {
    "made here: $($left -join ', ')"
    exit 10
}
$stays = @('the Containers feature', 'the host name', 'images and their record in C:\k8swin\state')
if ($layers) { $stays += "layers of images that only the runtime, which is gone, could remove" }
$stays += @($places | Where-Object { $_.kind -ne 'empty' -and (Test-Path -LiteralPath $_.path) } | ForEach-Object { $_.path })
"what was made here is removed; what stays: $($stays -join ', ')"
