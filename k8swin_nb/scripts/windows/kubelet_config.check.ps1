<#
.SYNOPSIS
Print the kubelet's configuration in base64, and whether the kubelet has yet to read it, as JSON.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Test-RestartDue

$file = 'C:\var\lib\kubelet\config.yaml'
$text = ''
if (Test-Path -LiteralPath $file) { $text = [Convert]::ToBase64String([System.IO.File]::ReadAllBytes($file)) }
@{ text = $text; due = [bool](Test-RestartDue kubelet) } | ConvertTo-Json -Compress
