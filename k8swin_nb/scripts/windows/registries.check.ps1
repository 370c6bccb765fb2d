<#
.SYNOPSIS
Does this worker have the files of its registries?
.DESCRIPTION
They are given a line each: the path and the content in base64.
#>
param([string]$RegistryFiles = '')
$ErrorActionPreference = 'Stop'

$differs = @()
$wanted = @($RegistryFiles -split '\r?\n' | Where-Object { $_ })
foreach ($line in $wanted) {
    $path, $content = $line -split ' ', 2
    $found = ''
    if (Test-Path -LiteralPath $path) { $found = [Convert]::ToBase64String([System.IO.File]::ReadAllBytes($path)) }
    if ($found -cne $content) { $differs += $path }
}
if ($differs) {
    "missing or another than described: $($differs -join ', ')"
    exit 10
}
"$($wanted.Count) files of registries are in place"
