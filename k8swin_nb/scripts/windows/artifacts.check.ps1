<#
.SYNOPSIS
Are the programs in place, with the locked hash?
.DESCRIPTION
A file is judged by its own hash. Of an archive the stamp tells which one was unpacked, and what it
provides must be there. A hash that nobody published ahead of time is the one that the first download left.
#>
param([Parameter(Mandatory = $true)][string]$Artifacts)
$ErrorActionPreference = 'Stop'

function Get-LockedHash($Artifact) {
    if ($Artifact.hash -ne 'published' -and $Artifact.hash -ne 'first-use') { return $Artifact.hash }
    $stamp = "C:\k8swin\state\$($Artifact.name).$($Artifact.hash)"
    if (-not (Test-Path $stamp)) { return 'unknown' }
    $hash, $url = (Get-Content -Path $stamp -TotalCount 1) -split ' '
    if ($url -ne $Artifact.url) { return 'unknown' }
    $hash
}

$differs = @()
$trusted = @()
$locked = ConvertFrom-Json $Artifacts
foreach ($artifact in $locked) {
    $hash = Get-LockedHash $artifact
    if ($artifact.hash -eq 'first-use') { $trusted += "$($artifact.name) $hash" }
    if ($artifact.unpack) {
        $stamp = "C:\k8swin\state\$($artifact.name).unpacked"
        $done = (Test-Path $stamp) -and ((Get-Content -Path $stamp -TotalCount 1) -eq $hash)
        foreach ($file in @($artifact.provides)) { if (-not (Test-Path -Path $file)) { $done = $false } }
        if (-not $done) { $differs += $artifact.name }
    } elseif (-not (Test-Path -Path $artifact.to)) {
        $differs += $artifact.name
    } elseif ((Get-FileHash -Path $artifact.to -Algorithm $artifact.algorithm).Hash -ne $hash) {
        $differs += "$($artifact.name) (another version)"
    }
}
if ($differs) {
    "not in place: $($differs -join ', ')"
    exit 10
}
$text = "all $(@($locked).Count) artifacts are in place with their hashes"
if ($trusted) { $text += "; without a published hash, as first downloaded: $($trusted -join ', ')" }
$text
