<#
.SYNOPSIS
Write the cluster's kubeconfig to C:\k\config for administrators alone, and name it to all programs.
.DESCRIPTION
The rights are narrowed on the empty file, before the secret is in it.
#>
param([Parameter(Mandatory = $true)][string]$AdminKubeconfig)
$ErrorActionPreference = 'Stop'
# uses: Protect-File Save-Found Write-OwnFile

$file = 'C:\k\config'
Save-Found $file
Protect-File $file
Write-OwnFile $file $AdminKubeconfig
# Services do not see a user's variables.
[Environment]::SetEnvironmentVariable('KUBECONFIG', $file, 'Machine')
foreach ($name in 'kubelet', 'flanneld', 'kube-proxy') {
    $service = Get-Service -Name $name -ErrorAction SilentlyContinue
    if ($service -and $service.Status -eq 'Running') { Restart-Service -Name $name -Force }
}
"wrote ${file}: it holds the cluster administrator's rights, keep this server as safe as the control plane"
