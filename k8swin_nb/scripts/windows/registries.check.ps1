<#
.SYNOPSIS
Does this worker have the files of its registries, and none of ours that are not described any more?
.DESCRIPTION
They are given a line each: the path and the content in base64.
#>
param([string]$RegistryFiles = '')
$ErrorActionPreference = 'Stop'
# uses: Get-FileDifference Get-WrittenBelow

$differs = @()
$described = @()
$wanted = @($RegistryFiles -split '\r?\n' | Where-Object { $_ })
foreach ($line in $wanted) {
    $path, $content = $line -split ' ', 2
    $described += $path
    $found = ''
    if (Test-Path -LiteralPath $path) { $found = [Convert]::ToBase64String([System.IO.File]::ReadAllBytes($path)) }
    if ($found -cne $content) {
        $differs += $path
        Get-FileDifference $path ([System.Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($content)))
    }
}
foreach ($path in @(Get-WrittenBelow 'C:\etc\containerd\certs.d')) {
    if ($described -notcontains $path) {
        "would: ${path}: written here, and not described any more -> taken back"
        $differs += "$path, which is not described any more"
    }
}
if ($differs) {
    "to be written or taken back: $($differs -join ', ')"
    exit 10
}
"$($wanted.Count) files of registries are in place"
