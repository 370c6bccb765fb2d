<#
.SYNOPSIS
Run flanneld as a service: remove the endpoint that the last boot left, then start it.
.DESCRIPTION
Windows keeps HNS networks and endpoints over a reboot, and flanneld cannot always attach its own endpoint again; an
early one never can. Its arguments are in a file, since they look like parameters of this script.
#>
param([string]$ArgumentsFile = 'C:\k8swin\state\flanneld.json')
$ErrorActionPreference = 'Stop'
# uses: Read-Json Save-Text Wait-Hns

$wanted = Read-Json $ArgumentsFile
$stamp = 'C:\k8swin\state\flanneld.boot'
$boot = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm', [Globalization.CultureInfo]::InvariantCulture)
$known = ''
if (Test-Path $stamp) { $known = [string](Get-Content -Path $stamp -TotalCount 1) }
if ($wanted.always -or $known -ne $boot) {
    # Early in a boot HNS may not answer yet. Without an answer flanneld decides itself.
    try {
        Wait-Hns { Get-HnsEndpoint | Where-Object { $_.Name -eq "$($wanted.network)_ep" } | Remove-HnsEndpoint } 60
        Save-Text $stamp $boot
    } catch {
        "HNS does not answer: $($_.Exception.Message)"
    }
}
$flags = @($wanted.arguments)
# What it writes to standard error is its log, not a failure of this script.
$ErrorActionPreference = 'Continue'
& C:\k\flanneld.exe @flags
exit $LASTEXITCODE
