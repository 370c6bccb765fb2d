<#
.SYNOPSIS
Pull the images one after the other, compare their Windows version with this server's, and run one of them.
.DESCRIPTION
Only what is missing or does not fit is pulled. A server image is several GiB. The run proves that Docker
can start a container of this build at all.
#>
param(
    [Parameter(Mandatory = $true)][string]$Images,
    [Parameter(Mandatory = $true)][string]$BaseImage
)
$ErrorActionPreference = 'Stop'
# uses: Get-Listed

$docker = "$env:ProgramFiles\docker\docker.exe"
$build = (Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion').CurrentBuildNumber

function Get-ImageVersion([string]$Image) {
    if (@(Get-Listed $docker @('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')) -cnotcontains $Image) { return '' }
    $version = & $docker image inspect --format '{{.OsVersion}}' $Image
    if ($LASTEXITCODE -ne 0) { throw "docker.exe image inspect $Image ended with $LASTEXITCODE" }
    "$version"
}

foreach ($image in $Images -split ' ') {
    if ((Get-ImageVersion $image).StartsWith("10.0.$build.")) { continue }
    # What was not here before is written down first: a teardown may remove these images and no others.
    if (-not (Get-ImageVersion $image)) { Add-Content -Path 'C:\k8swin\state\images.txt' -Value $image -Encoding ASCII }
    "pulling $image"
    & $docker pull $image | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "docker.exe pull $image ended with $LASTEXITCODE" }
    $version = Get-ImageVersion $image
    if (-not $version.StartsWith("10.0.$build.")) {
        throw "$image was built for Windows $version, this server is 10.0.${build}: choose the tag of this build"
    }
}
$printed = & $docker run --rm $BaseImage cmd /c ver | Out-String
if ($LASTEXITCODE -ne 0) { throw "docker.exe run $BaseImage ended with $LASTEXITCODE" }
if (-not $printed.Contains("10.0.$build")) { throw "a container of $BaseImage printed: $($printed.Trim())" }
"the images are on this worker; a container of $BaseImage ran on 10.0.$build"
