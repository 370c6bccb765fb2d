<#
.SYNOPSIS
What is at some places, a line each: kind, size and SHA-256, with tabs between.
#>
param([Parameter(Mandatory = $true)][string]$Paths)
$ErrorActionPreference = 'Stop'
# uses: Get-Sha256

foreach ($path in $Paths -split "`n") {
    if (-not (Test-Path -LiteralPath $path)) { "missing`t0`t-"; continue }
    if (Test-Path -LiteralPath $path -PathType Container) { "folder`t0`t-"; continue }
    $item = Get-Item -LiteralPath $path -Force
    # A file that somebody keeps open for himself is there all the same.
    try { $hash = Get-Sha256 $path } catch { $hash = '-' }
    "file`t$($item.Length)`t$hash"
}
