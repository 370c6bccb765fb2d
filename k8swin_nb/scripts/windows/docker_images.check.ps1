<#
.SYNOPSIS
Are the images on this worker that its pods will need, and were they built for this Windows?
.DESCRIPTION
Process isolation runs an image only when the first three fields of its version are those of the host.
#>
param([Parameter(Mandatory = $true)][string]$Images)
$ErrorActionPreference = 'Stop'
# uses: Get-Listed

$docker = "$env:ProgramFiles\docker\docker.exe"
if (-not (Test-Path $docker)) {
    foreach ($image in $Images -split ' ') { "would: ${image}: not on this worker -> pulled" }
    "Docker is not installed yet, and none of these images is on this worker: $Images"
    exit 10
}
$build = (Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion').CurrentBuildNumber
$present = @(Get-Listed $docker @('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}'))
# Tags are told apart by their letters.
$missing = @($Images -split ' ' | Where-Object { $present -cnotcontains $_ })
if ($missing) {
    foreach ($image in $missing) { "would: ${image}: not on this worker -> pulled" }
    "not on this worker: $($missing -join ' ')"
    exit 10
}
$others = @()
foreach ($image in $Images -split ' ') {
    $version = & $docker image inspect --format '{{.OsVersion}}' $image
    if ($LASTEXITCODE -ne 0) { throw "docker.exe image inspect $image ended with $LASTEXITCODE" }
    if (-not "$version".StartsWith("10.0.$build.")) { $others += "$image is for $version" }
}
if ($others) {
    foreach ($other in $others) { "would: $other -> pulled anew, for 10.0.$build" }
    "not for this server, which is 10.0.${build}: $($others -join ', ')"
    exit 10
}
"on this worker, built for 10.0.${build}: $Images"
