<#
.SYNOPSIS
Reboot this server in a few seconds, so that this command can still answer.
.DESCRIPTION
The key of the logon screen is taken away: where somebody made it to stay, it would say at once that the boot is over.
A reboot that is scheduled already may be hours away; it is called off for this one.
#>
param()
$ErrorActionPreference = 'Stop'

Remove-Item -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked' -Recurse -Force -ErrorAction SilentlyContinue
& shutdown.exe /r /t 3 /d p:2:4 /c 'k8swin: reboot for Kubernetes'
if ($LASTEXITCODE -eq 1190) {
    & shutdown.exe /a
    & shutdown.exe /r /t 3 /d p:2:4 /c 'k8swin: reboot for Kubernetes'
}
# 1190: another one was faster; 1115: the server is on its way down.
if ($LASTEXITCODE -ne 0 -and $LASTEXITCODE -ne 1190 -and $LASTEXITCODE -ne 1115) { exit $LASTEXITCODE }
'a reboot is on its way'
exit 0
