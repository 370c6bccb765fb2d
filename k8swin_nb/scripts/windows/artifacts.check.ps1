<#
.SYNOPSIS
Are the programs in place, with the locked SHA-256?
.DESCRIPTION
A file is judged by its own hash. Of an archive the stamp tells which one was unpacked, and what it
provides must be there.
#>
param([Parameter(Mandatory = $true)][string]$Artifacts)
$ErrorActionPreference = 'Stop'

function Get-LockedHash($Artifact) {
    if ($Artifact.sha256 -ne 'published') { return $Artifact.sha256 }
    $stamp = "C:\k8swin\state\$($Artifact.name).published"
    if (-not (Test-Path $stamp)) { return 'unknown' }
    $hash, $url = (Get-Content -Path $stamp -TotalCount 1) -split ' '
    if ($url -ne $Artifact.url) { return 'unknown' }
    $hash
}

$differs = @()
$locked = ConvertFrom-Json $Artifacts
foreach ($artifact in $locked) {
    if ($artifact.unpack) {
        $stamp = "C:\k8swin\state\$($artifact.name).sha256"
        $done = (Test-Path $stamp) -and ((Get-Content -Path $stamp -TotalCount 1) -eq (Get-LockedHash $artifact))
        foreach ($file in @($artifact.provides)) { if (-not (Test-Path -Path $file)) { $done = $false } }
        if (-not $done) { $differs += $artifact.name }
    } elseif (-not (Test-Path -Path $artifact.to)) {
        $differs += $artifact.name
    } elseif ((Get-FileHash -Path $artifact.to -Algorithm SHA256).Hash -ne (Get-LockedHash $artifact)) {
        $differs += "$($artifact.name) (another version)"
    }
}
if ($differs) {
    "not in place: $($differs -join ', ')"
    exit 10
}
"all $(@($locked).Count) artifacts are in place with their SHA-256"
