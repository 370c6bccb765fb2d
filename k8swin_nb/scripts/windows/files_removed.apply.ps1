<#
.SYNOPSIS
Remove the folders and files that were made on this server, and take C:\k off the machine's PATH.
.DESCRIPTION
Links are deleted as links: what they point to may be outside of the folder. What was there before the first
step stays, and so does a folder that others use while anything is in it.
#>
param(
    [Parameter(Mandatory = $true)][string]$RemovedPlaces,
    [Parameter(Mandatory = $true)][string]$KeepImages
)
$ErrorActionPreference = 'Stop'
# uses: Get-MachinePath Get-Sha256 Invoke-Patiently Read-Json Remove-File Restore-Found Save-Found Set-MachinePath Test-ImageLayer Test-OwnFolder

function Remove-Tree([string]$Path) {
    $attributes = [System.IO.File]::GetAttributes($Path)
    $isFolder = ($attributes -band [System.IO.FileAttributes]::Directory) -ne 0
    $isLink = ($attributes -band [System.IO.FileAttributes]::ReparsePoint) -ne 0
    if ($isFolder -and -not $isLink) {
        foreach ($entry in [System.IO.Directory]::GetFileSystemEntries($Path)) { Remove-Tree $entry }
    }
    if ($isFolder) {
        Invoke-Patiently { [System.IO.Directory]::Delete($Path) }
    } else {
        if ($attributes -band [System.IO.FileAttributes]::ReadOnly) { Set-ItemProperty -LiteralPath $Path -Name IsReadOnly -Value $false }
        Invoke-Patiently { [System.IO.File]::Delete($Path) }
    }
}

# All that was kept: a copy goes when its file is there again as it was.
function Restore-AllFound {
    if (-not (Test-Path -LiteralPath 'C:\k8swin\kept')) { return }
    foreach ($copy in @(Get-ChildItem -LiteralPath 'C:\k8swin\kept' -Recurse -Force | Where-Object { -not $_.PSIsContainer } | ForEach-Object { $_.FullName })) {
        $rest = $copy.Substring('C:\k8swin\kept\'.Length)
        $path = $rest.Substring(0, 1) + ':' + $rest.Substring(1)
        if (-not (Test-Path -LiteralPath $path) -and $copy -match '\.\d+$') { continue }
        Restore-Found $path
        if ((Test-Path -LiteralPath $copy) -and (Test-Path -LiteralPath $path) -and (Get-Sha256 $copy) -eq (Get-Sha256 $path)) { Remove-File $copy }
    }
}

# What others put into a folder of ours since is kept before it goes, and comes back where it was.
function Save-Others([string]$Folder) {
    foreach ($path in @(Get-ChildItem -LiteralPath $Folder -Recurse -Force | Where-Object { -not $_.PSIsContainer } | ForEach-Object { $_.FullName })) {
        Save-Found $path
    }
}

$record = 'C:\k8swin\state\found.json'
$found = Read-Json $record
if (-not $found.path) {
    $entries = @(Get-MachinePath)
    if ($entries -contains 'C:\k') {
        Set-MachinePath @($entries | Where-Object { $_ -and $_ -ne 'C:\k' })
        'C:\k is off the PATH'
    }
}
$proxy = 'C:\k8swin\state\proxy.json'
if (Test-Path $proxy) {
    $before = Read-Json $proxy
    $except = @(([string][Environment]::GetEnvironmentVariable('NO_PROXY', 'Machine')) -split ',' | Where-Object { $_ -and @($before.added) -notcontains $_ })
    $value = $null
    if ($except) { $value = $except -join ',' }
    [Environment]::SetEnvironmentVariable('NO_PROXY', $value, 'Machine')
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$($before.service)"
    # A runtime that was installed here is gone with its key; one that was there before has its variables back.
    if ((Test-Path $key) -and @($found.services) -contains $before.service) {
        New-ItemProperty -Path $key -Name Environment -PropertyType MultiString -Value ([string[]]@($before.environment)) -Force | Out-Null
    }
    Remove-File $proxy
}
$defender = 'C:\k8swin\state\defender.json'
if (Test-Path $defender) {
    $added = Read-Json $defender
    $programs = @($added.programs | Where-Object { $_ })
    $folders = @($added.folders | Where-Object { $_ })
    if (Get-Process -Name MsMpEng -ErrorAction SilentlyContinue) {
        if ($programs) { Remove-MpPreference -ExclusionProcess $programs }
        if ($folders) { Remove-MpPreference -ExclusionPath $folders }
        "Microsoft Defender inspects again: $(($programs + $folders) -join ', ')"
    } else {
        "warning: Microsoft Defender does not run, and its exclusions stay: $(($programs + $folders) -join ', ')"
    }
    Remove-File $defender
}
foreach ($task in 'k8swin-pod-network', 'k8swin-hns-removed', 'k8swin-windows-update', 'k8swin-containerd-log') {
    if (Get-ScheduledTask -TaskName $task -ErrorAction SilentlyContinue) { Unregister-ScheduledTask -TaskName $task -Confirm:$false }
}
$places = ConvertFrom-Json $RemovedPlaces
foreach ($place in $places) {
    if (-not (Test-Path -LiteralPath $place.path)) { continue }
    if (@($found.places) -contains $place.path) {
        if ($place.kind -eq 'file') { Restore-Found $place.path }
        continue
    }
    if ($place.kind -eq 'empty') {
        if (@(Get-ChildItem -LiteralPath $place.path -Force).Count -eq 0) { [System.IO.Directory]::Delete($place.path) }
        continue
    }
    if (Test-ImageLayer $place.path) {
        "$($place.path) stays: it holds layers of images, and the runtime that could remove them is gone"
        $KeepImages = 'true'
        continue
    }
    if (Test-OwnFolder $place.path) { Save-Others $place.path }
    Remove-Tree $place.path
    "removed $($place.path)"
}
Restore-AllFound
foreach ($entry in [System.IO.Directory]::GetFileSystemEntries('C:\k8swin\state')) {
    # A later run that removes the images has to know what was here before them.
    if ($entry -like '*\written.txt') { continue }
    if ($KeepImages -eq 'true' -and $entry -match '\\(found\.json|images\.txt)$') { continue }
    # The record goes last: without it a run that was interrupted here would take all for done.
    if ($entry -ne $record) { Remove-Tree $entry }
}
$kept = @(Get-ChildItem -LiteralPath 'C:\k8swin\kept' -Recurse -Force -ErrorAction SilentlyContinue | Where-Object { -not $_.PSIsContainer } | ForEach-Object { $_.FullName })
if (-not $kept -and (Test-Path 'C:\k8swin\kept')) { Remove-Tree 'C:\k8swin\kept' }
Remove-File 'C:\k8swin\state\written.txt'
# By these the check sees that a removal was cut short.
foreach ($name in 'jobs', 'downloads', 'network.json', 'join.yaml', 'flanneld.ps1', 'owned') {
    if (Test-Path "C:\k8swin\$name") { Remove-Tree "C:\k8swin\$name" }
}
if ($KeepImages -ne 'true') {
    if ($kept) {
        Remove-Tree 'C:\k8swin\state'
    } else {
        Remove-Tree 'C:\k8swin'
    }
}
if ($kept) { "what was found and is another now: $($kept -join ', ')" }
'what was made here is removed'
