<#
.SYNOPSIS
Print containerd's configuration file as JSON, in a text that is null when there is no file.
#>
param()
$ErrorActionPreference = 'Stop'

$file = Join-Path $env:ProgramFiles 'containerd\config.toml'
$text = $null
if (Test-Path $file) { $text = [System.IO.File]::ReadAllText($file) }
@{ text = $text } | ConvertTo-Json -Compress
