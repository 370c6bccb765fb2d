<#
.SYNOPSIS
Write the cluster's kubeconfig to C:\k\config for administrators alone, and name it to all programs.
.DESCRIPTION
The rights are narrowed on the empty file, before the secret is in it.
#>
param([Parameter(Mandatory = $true)][string]$AdminKubeconfig)
$ErrorActionPreference = 'Stop'
# uses: Protect-File Restart-RunningService Save-Found Set-RestartDue Write-OwnFile

$file = 'C:\k\config'
foreach ($name in 'kubelet', 'flanneld', 'kube-proxy') { Set-RestartDue $name }
Save-Found $file
Protect-File $file
Write-OwnFile $file $AdminKubeconfig
# Services do not see a user's variables.
[Environment]::SetEnvironmentVariable('KUBECONFIG', $file, 'Machine')
foreach ($name in 'kubelet', 'flanneld', 'kube-proxy') { Restart-RunningService $name }
"wrote ${file}: it holds the cluster administrator's rights, keep this server as safe as the control plane"
