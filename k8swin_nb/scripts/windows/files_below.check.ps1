<#
.SYNOPSIS
The files below a folder, a line each: size, SHA-256 and path below the folder, with tabs between; of an empty folder `-`.
#>
param([Parameter(Mandatory = $true)][string]$Folder)
$ErrorActionPreference = 'Stop'
# uses: Get-Sha256

$root = (Get-Item -LiteralPath $Folder -Force).FullName.TrimEnd('\')
foreach ($item in Get-ChildItem -LiteralPath $root -Recurse -Force) {
    if ($item.PSIsContainer) {
        if (@(Get-ChildItem -LiteralPath $item.FullName -Force).Count -eq 0) { "0`t-`t$($item.FullName.Substring($root.Length + 1))" }
        continue
    }
    "$($item.Length)`t$(Get-Sha256 $item.FullName)`t$($item.FullName.Substring($root.Length + 1))"
}
