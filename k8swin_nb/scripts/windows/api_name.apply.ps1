<#
.SYNOPSIS
Give the control plane's name its address in the hosts file, in a line of ours; without an address that line goes.
.DESCRIPTION
All other lines stay, in the encoding that they have.
#>
param(
    [Parameter(Mandatory = $true)][string]$ApiEndpoint,
    [string]$ControlPlaneAddress = ''
)
$ErrorActionPreference = 'Stop'
# uses: Invoke-Patiently

$file = 'C:\Windows\System32\drivers\etc\hosts'
$name = ($ApiEndpoint -split ':')[0]
# One byte is one letter in it, so that whatever stands there comes back as it was.
$bytes = [System.Text.Encoding]::GetEncoding(28591)
$text = ''
if (Test-Path -LiteralPath $file) { $text = [System.IO.File]::ReadAllText($file, $bytes) }
$text = $text -replace '(?m)^[^\r\n]*# k8swin api[ \t]*(\r?\n|\z)', ''
if ($ControlPlaneAddress) {
    if ($text -and -not $text.EndsWith("`n")) { $text += "`r`n" }
    $text += "$ControlPlaneAddress $name # k8swin api`r`n"
}
# The DNS client has it open for a moment whenever it was changed, and scanners watch it.
Invoke-Patiently { [System.IO.File]::WriteAllText($file, $text, $bytes) }
$said = $ControlPlaneAddress
if (-not $said) { $said = 'what DNS says' }
"$name is $said"
