<#
.SYNOPSIS
Pull the images that are not on this worker, and only those.
.DESCRIPTION
As the kubelet pulls them, from the mirrors that containerd's configuration names. A server image is several GiB.
#>
param([Parameter(Mandatory = $true)][string]$Images)
$ErrorActionPreference = 'Stop'
# uses: Get-Listed

$present = @(Get-Listed "$env:ProgramFiles\containerd\ctr.exe" @('-n', 'k8s.io', 'images', 'ls', '-q'))
foreach ($image in $Images -split ' ') {
    if ($present -ccontains $image) { continue }
    Add-Content -Path 'C:\k8swin\state\images.txt' -Value $image -Encoding ASCII
    "pulling $image"
    & C:\k\crictl.exe --config C:\k\crictl.yaml pull $image | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "crictl.exe pull $image ended with $LASTEXITCODE" }
}
'the images are on this worker'
