<#
.SYNOPSIS
Write the kubelet's configuration, which is kubeadm's with the described settings, and start the kubelet anew.
#>
param([Parameter(Mandatory = $true)][string]$KubeletConfig)
$ErrorActionPreference = 'Stop'
# uses: Invoke-Patiently Restart-ChangedService Set-RestartDue Test-FileText

$file = 'C:\var\lib\kubelet\config.yaml'
Set-RestartDue kubelet
if (-not (Test-FileText $file $KubeletConfig)) {
    # The kubelet reads no byte-order mark.
    Invoke-Patiently { [System.IO.File]::WriteAllText($file, $KubeletConfig, (New-Object System.Text.UTF8Encoding($false))) }
}
Restart-ChangedService kubelet
'the kubelet is started anew with its settings'
