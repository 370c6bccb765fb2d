<#
.SYNOPSIS
Configure Docker, register it as a service that restarts after a failure, and start it.
.DESCRIPTION
Docker comes as an archive of its programs: dockerd registers the service by itself. The configuration is
written without a byte-order mark.
#>
param([Parameter(Mandatory = $true)][string]$DockerConfig)
$ErrorActionPreference = 'Stop'
# uses: Get-MachinePath Set-MachinePath Set-RestartDue Start-RuntimeService Test-FoundService Write-OwnFile

$folder = Join-Path $env:ProgramFiles 'docker'
$settings = Join-Path $env:ProgramData 'docker\config'
if (-not (Test-Path $settings)) { New-Item -ItemType Directory -Path $settings -Force | Out-Null }
# Kubernetes needs nothing of it: a Docker that was here before keeps its own.
if (-not (Test-Path "$settings\daemon.json") -or -not (Test-FoundService docker)) {
    Set-RestartDue docker
    Write-OwnFile "$settings\daemon.json" $DockerConfig
}

Set-MachinePath (@(Get-MachinePath | Where-Object { $_ -and $_ -ne $folder }) + $folder)

if (-not (Get-Service -Name docker -ErrorAction SilentlyContinue)) {
    & "$folder\dockerd.exe" --register-service
    if ($LASTEXITCODE -ne 0) { throw "dockerd.exe --register-service ended with $LASTEXITCODE" }
}
Start-RuntimeService docker
'Docker is configured and started'
