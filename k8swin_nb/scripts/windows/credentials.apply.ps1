<#
.SYNOPSIS
Write the kubeconfigs of flanneld and kube-proxy: each with the rights of its service account and no more.
#>
param(
    [Parameter(Mandatory = $true)][string]$FlannelKubeconfig,
    [Parameter(Mandatory = $true)][string]$KubeProxyKubeconfig
)
$ErrorActionPreference = 'Stop'
# uses: Protect-File Save-Found Write-OwnFile

$files = @{
    'C:\etc\kube-flannel\kubeconfig' = $FlannelKubeconfig
    'C:\etc\kube-proxy\kubeconfig'   = $KubeProxyKubeconfig
}
foreach ($file in $files.Keys) {
    Save-Found $file
    Protect-File $file
    Write-OwnFile $file $files[$file]
}
# Neither program reads its token again while it runs.
foreach ($name in 'flanneld', 'kube-proxy') {
    $service = Get-Service -Name $name -ErrorAction SilentlyContinue
    if ($service -and $service.Status -eq 'Running') { Restart-Service -Name $name -Force }
}
'wrote the kubeconfigs of flanneld and kube-proxy'
