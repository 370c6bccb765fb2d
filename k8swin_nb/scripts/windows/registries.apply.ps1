<#
.SYNOPSIS
Write the files of this worker's registries, and take back those that are not described any more.
.DESCRIPTION
They are given a line each: the path and the content in base64. containerd reads them with every pull.
#>
param([string]$RegistryFiles = '')
$ErrorActionPreference = 'Stop'
# uses: Get-WrittenBelow Restore-Found Write-OwnFile

$described = @()
foreach ($line in @($RegistryFiles -split '\r?\n' | Where-Object { $_ })) {
    $path, $content = $line -split ' ', 2
    $described += $path
    $folder = [System.IO.Path]::GetDirectoryName($path)
    if (-not (Test-Path -LiteralPath $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
    Write-OwnFile $path ([System.Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($content)))
}
foreach ($path in @(Get-WrittenBelow 'C:\etc\containerd\certs.d')) {
    if ($described -contains $path) { continue }
    Restore-Found $path
    $folder = [System.IO.Path]::GetDirectoryName($path)
    if ((Test-Path -LiteralPath $folder) -and @([System.IO.Directory]::GetFileSystemEntries($folder)).Count -eq 0) { [System.IO.Directory]::Delete($folder) }
}
'the files of registries are in place'
