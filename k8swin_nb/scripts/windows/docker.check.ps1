<#
.SYNOPSIS
Does Docker run as a service of this installation, with the planned configuration?
#>
param([Parameter(Mandatory = $true)][string]$DockerConfig)
$ErrorActionPreference = 'Stop'
# uses: Get-FileDifference Get-ForeignRuntime Test-FoundService Test-RestartDue

$foreign = Get-ForeignRuntime docker
if ($foreign) {
    $foreign
    exit 20
}
$differs = @()
$folder = Join-Path $env:ProgramFiles 'docker'
$service = Get-CimInstance -ClassName Win32_Service -Filter "Name='docker'"
$file = Join-Path $env:ProgramData 'docker\config\daemon.json'
$text = ''
if (Test-Path $file) { $text = [System.IO.File]::ReadAllText($file) }
# Kubernetes needs nothing of it: a Docker that was here before keeps its own.
if (-not $text.Equals($DockerConfig) -and -not ($text -and (Test-FoundService docker))) {
    Get-FileDifference $file $DockerConfig
    $differs += "$file is missing or differs from the plan"
}
if (-not $service -or $service.State -ne 'Running' -or $service.StartMode -ne 'Auto') {
    $found = 'not there'
    if ($service) { $found = "$($service.State), $($service.StartMode)" }
    "would: service docker: $found -> Running, Auto"
    $differs += "the service docker is $found, wanted Running, Auto"
} elseif (Test-RestartDue docker) {
    'would: service docker: runs with another configuration -> started anew'
    $differs += 'Docker has not read its configuration since that was changed'
}
$path = @([Environment]::GetEnvironmentVariable('Path', 'Machine') -split ';' | Where-Object { $_ -eq $folder })
if ($path.Count -ne 1) {
    "would: PATH of the machine: $folder $($path.Count) times -> once"
    $differs += "$folder is $($path.Count) times on the machine's PATH"
}
if ($differs) {
    $differs -join '; '
    exit 10
}
$ErrorActionPreference = 'Continue'
$version = & "$folder\docker.exe" version --format '{{.Server.Version}}' 2>$null
if ($LASTEXITCODE -ne 0) {
    'Docker does not answer yet'
    exit 10
}
"Docker $version runs as a service that starts with the machine"
exit 0
