<#
.SYNOPSIS
Configure Docker, register it as a service that restarts after a failure, and start it.
.DESCRIPTION
Docker comes as an archive of its programs: dockerd registers the service by itself. The configuration is
written without a byte-order mark.
#>
param([Parameter(Mandatory = $true)][string]$DockerConfig)
$ErrorActionPreference = 'Stop'

$folder = Join-Path $env:ProgramFiles 'docker'
$settings = Join-Path $env:ProgramData 'docker\config'
if (-not (Test-Path $settings)) { New-Item -ItemType Directory -Path $settings -Force | Out-Null }
[System.IO.File]::WriteAllText("$settings\daemon.json", $DockerConfig, (New-Object System.Text.UTF8Encoding($false)))

# Only the machine's own value is read and written, and as it is spelt: variables in it stay variables.
$key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
$item = Get-Item -Path $key
$entries = @(([string]$item.GetValue('Path', '', 'DoNotExpandEnvironmentNames')) -split ';' | Where-Object { $_ -and $_ -ne $folder })
New-ItemProperty -Path $key -Name Path -PropertyType ($item.GetValueKind('Path')) -Value (($entries + $folder) -join ';') -Force | Out-Null
# Programs that run are told of the change, as with any variable of the machine.
[Environment]::SetEnvironmentVariable('k8swin', $null, 'Machine')

if (-not (Get-Service -Name docker -ErrorAction SilentlyContinue)) {
    & "$folder\dockerd.exe" --register-service
    if ($LASTEXITCODE -ne 0) { throw "dockerd.exe --register-service ended with $LASTEXITCODE" }
}
Set-Service -Name docker -StartupType Automatic
& sc.exe failure docker reset= 86400 actions= restart/5000/restart/5000/restart/30000 | Out-Null
if ($LASTEXITCODE -ne 0) { throw "sc.exe failure ended with $LASTEXITCODE" }
Restart-Service -Name docker -Force
'Docker is configured and started'
