<#
.SYNOPSIS
Download the programs, verify their SHA-256, and put them in place.
.DESCRIPTION
A download that does not match its hash is deleted and fetched once more, then it is an error. A program
that runs is stopped before its file is replaced and started again afterwards by its own step.
#>
param([Parameter(Mandatory = $true)][string]$Artifacts)
$ErrorActionPreference = 'Stop'

function Test-Hash([string]$Path, [string]$Sha256) {
    (Test-Path -Path $Path) -and (Get-FileHash -Path $Path -Algorithm SHA256).Hash -eq $Sha256
}

function Get-LockedHash($Artifact) {
    if ($Artifact.sha256 -ne 'published') { return $Artifact.sha256 }
    $stamp = "C:\k8swin\state\$($Artifact.name).published"
    if (Test-Path $stamp) {
        $hash, $url = (Get-Content -Path $stamp -TotalCount 1) -split ' '
        if ($url -eq $Artifact.url) { return $hash }
    }
    $answer = & curl.exe -fsSL --retry 5 --retry-delay 2 --connect-timeout 20 "$($Artifact.url).sha256"
    if ($LASTEXITCODE -ne 0) { throw "$($Artifact.name): curl.exe ended with $LASTEXITCODE for $($Artifact.url).sha256" }
    $hash = ("$answer".Trim() -split '\s+')[0].ToLower()
    if ($hash -notmatch '^[0-9a-f]{64}$') { throw "$($Artifact.name): $($Artifact.url).sha256 holds no SHA-256" }
    Set-Content -Path $stamp -Value "$hash $($Artifact.url)" -Encoding ASCII
    $hash
}

function Receive-Artifact($Artifact, [string]$Sha256, [string]$Path) {
    if (Test-Hash $Path $Sha256) { return }
    $found = ''
    foreach ($attempt in 1, 2) {
        & curl.exe -fsSL --retry 5 --retry-delay 2 --connect-timeout 20 -o $Path $Artifact.url
        if ($LASTEXITCODE -ne 0) { throw "$($Artifact.name): curl.exe ended with $LASTEXITCODE for $($Artifact.url)" }
        if (Test-Hash $Path $Sha256) { return }
        $found = (Get-FileHash -Path $Path -Algorithm SHA256).Hash.ToLower()
        Remove-Item -Path $Path -Force
    }
    throw "$($Artifact.name): SHA-256 is $found, locked is $Sha256, from $($Artifact.url)"
}

$locked = ConvertFrom-Json $Artifacts
foreach ($artifact in $locked) {
    $sha256 = Get-LockedHash $artifact
    $download = "C:\k8swin\downloads\$($artifact.file)"
    if ($artifact.unpack) {
        $stamp = "C:\k8swin\state\$($artifact.name).sha256"
        $done = (Test-Path $stamp) -and ((Get-Content -Path $stamp -TotalCount 1) -eq $sha256)
        foreach ($file in @($artifact.provides)) { if (-not (Test-Path -Path $file)) { $done = $false } }
        if ($done) { continue }
        Receive-Artifact $artifact $sha256 $download
        if ($artifact.service -and (Get-Service -Name $artifact.service -ErrorAction SilentlyContinue)) {
            Stop-Service -Name $artifact.service -Force
        }
        if (-not (Test-Path -Path $artifact.to)) { New-Item -ItemType Directory -Path $artifact.to -Force | Out-Null }
        if ($artifact.members) {
            & tar.exe -xf $download -C $artifact.to --strip-components $artifact.strip @($artifact.members)
        } else {
            & tar.exe -xf $download -C $artifact.to --strip-components $artifact.strip
        }
        if ($LASTEXITCODE -ne 0) { throw "$($artifact.name): tar.exe ended with $LASTEXITCODE" }
        Set-Content -Path $stamp -Value $sha256 -Encoding ASCII
    } else {
        if (Test-Hash $artifact.to $sha256) { continue }
        Receive-Artifact $artifact $sha256 $download
        if ($artifact.service -and (Get-Service -Name $artifact.service -ErrorAction SilentlyContinue)) {
            Stop-Service -Name $artifact.service -Force
        }
        Copy-Item -Path $download -Destination $artifact.to -Force
    }
    Remove-Item -Path $download -Force
    "$($artifact.name) is in $($artifact.to)"
}
