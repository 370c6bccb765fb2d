<#
.SYNOPSIS
Take the control plane's name out of the hosts file; all other lines stay.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Invoke-Patiently

$file = 'C:\Windows\System32\drivers\etc\hosts'
# One byte is one letter in it, so that whatever stands there comes back as it was.
$bytes = [System.Text.Encoding]::GetEncoding(28591)
$text = [System.IO.File]::ReadAllText($file, $bytes) -replace '(?m)^[^\r\n]*# k8swin api[ \t]*(\r?\n|\z)', ''
# The DNS client has it open for a moment whenever it was changed, and scanners watch it.
Invoke-Patiently { [System.IO.File]::WriteAllText($file, $text, $bytes) }
'the hosts file has no line of ours'
