<#
.SYNOPSIS
Reboot this server in a few seconds, so that this command can still answer.
#>
param()
$ErrorActionPreference = 'Stop'

& shutdown.exe /r /t 3 /d p:2:4 /c 'k8swin: reboot for Kubernetes'
# 1190: a reboot is scheduled already; 1115: it has begun.
if ($LASTEXITCODE -ne 0 -and $LASTEXITCODE -ne 1190 -and $LASTEXITCODE -ne 1115) { exit $LASTEXITCODE }
'a reboot is on its way'
exit 0
