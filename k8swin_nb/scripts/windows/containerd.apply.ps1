<#
.SYNOPSIS
Configure containerd, register it as a service that restarts after a failure, and start it.
.DESCRIPTION
The file is written without a byte-order mark: containerd does not read one.
#>
param([Parameter(Mandatory = $true)][string]$ContainerdConfig)
$ErrorActionPreference = 'Stop'

$folder = Join-Path $env:ProgramFiles 'containerd'
$utf8 = New-Object System.Text.UTF8Encoding($false)
[System.IO.File]::WriteAllText("$folder\config.toml", $ContainerdConfig, $utf8)
[System.IO.File]::WriteAllText('C:\k\crictl.yaml', "runtime-endpoint: npipe:////./pipe/containerd-containerd`n", $utf8)

if (-not (Get-Service -Name containerd -ErrorAction SilentlyContinue)) {
    & "$folder\containerd.exe" --register-service --config "$folder\config.toml" --log-file C:\var\log\containerd\containerd.log
    if ($LASTEXITCODE -ne 0) { throw "containerd.exe --register-service ended with $LASTEXITCODE" }
}
Set-Service -Name containerd -StartupType Automatic
& sc.exe failure containerd reset= 86400 actions= restart/5000/restart/5000/restart/30000 | Out-Null
if ($LASTEXITCODE -ne 0) { throw "sc.exe failure ended with $LASTEXITCODE" }
Restart-Service -Name containerd -Force
'containerd is configured and started'
