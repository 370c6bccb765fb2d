<#
.SYNOPSIS
Configure containerd, register it as a service that restarts after a failure, and start it.
.DESCRIPTION
The file is written without a byte-order mark: containerd does not read one.
#>
param([Parameter(Mandatory = $true)][string]$ContainerdConfig)
$ErrorActionPreference = 'Stop'
# uses: Start-RuntimeService

$folder = Join-Path $env:ProgramFiles 'containerd'
$utf8 = New-Object System.Text.UTF8Encoding($false)
[System.IO.File]::WriteAllText("$folder\config.toml", $ContainerdConfig, $utf8)
[System.IO.File]::WriteAllText('C:\k\crictl.yaml', "runtime-endpoint: npipe:////./pipe/containerd-containerd`n", $utf8)

if (-not (Get-Service -Name containerd -ErrorAction SilentlyContinue)) {
    & "$folder\containerd.exe" --register-service --config "$folder\config.toml" --log-file C:\var\log\containerd\containerd.log
    if ($LASTEXITCODE -ne 0) { throw "containerd.exe --register-service ended with $LASTEXITCODE" }
}
Start-RuntimeService containerd
'containerd is configured and started'
