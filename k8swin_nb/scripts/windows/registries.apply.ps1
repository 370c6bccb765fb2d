<#
.SYNOPSIS
Write the files of this worker's registries.
.DESCRIPTION
They are given a line each: the path and the content in base64. containerd reads them with every pull.
#>
param([string]$RegistryFiles = '')
$ErrorActionPreference = 'Stop'
# uses: Write-OwnFile

foreach ($line in @($RegistryFiles -split '\r?\n' | Where-Object { $_ })) {
    $path, $content = $line -split ' ', 2
    $folder = [System.IO.Path]::GetDirectoryName($path)
    if (-not (Test-Path -LiteralPath $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
    Write-OwnFile $path ([System.Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($content)))
}
'the files of registries are in place'
