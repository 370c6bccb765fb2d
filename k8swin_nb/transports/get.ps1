# Print a file's SHA-256, then its content in base64.
param([Parameter(Mandatory = $true)][string]$Path)
$ErrorActionPreference = 'Stop'

(Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash
[System.Convert]::ToBase64String([System.IO.File]::ReadAllBytes($Path))
