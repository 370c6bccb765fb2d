<#
.SYNOPSIS
Write the kubeconfigs of flanneld and kube-proxy: each with the rights of its service account and no more.
#>
param(
    [Parameter(Mandatory = $true)][string]$FlannelKubeconfig,
    [Parameter(Mandatory = $true)][string]$KubeProxyKubeconfig
)
$ErrorActionPreference = 'Stop'
# uses: Protect-File Restart-RunningService Save-Found Set-RestartDue Write-OwnFile

$files = @{
    'C:\etc\kube-flannel\kubeconfig' = $FlannelKubeconfig
    'C:\etc\kube-proxy\kubeconfig'   = $KubeProxyKubeconfig
}
# Neither program reads its token again while it runs.
foreach ($name in 'flanneld', 'kube-proxy') { Set-RestartDue $name }
foreach ($file in $files.Keys) {
    Save-Found $file
    Protect-File $file
    Write-OwnFile $file $files[$file]
}
foreach ($name in 'flanneld', 'kube-proxy') { Restart-RunningService $name }
'wrote the kubeconfigs of flanneld and kube-proxy'
