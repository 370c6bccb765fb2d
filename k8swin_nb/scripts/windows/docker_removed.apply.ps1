<#
.SYNOPSIS
Remove the kubelet's containers, and Docker where it was installed here.
.DESCRIPTION
A Docker that was there before us gets its configuration back and is restarted when that changes anything.
The kubelet names its containers k8s_. Containers of others are neither stopped nor removed: while there are
some, Docker stays and this step says so.
#>
param(
    [Parameter(Mandatory = $true)][string]$DockerConfig,
    [Parameter(Mandatory = $true)][string]$KeepImages
)
$ErrorActionPreference = 'Stop'

$found = Get-Content -Path 'C:\k8swin\state\found.json' -Raw | ConvertFrom-Json
$folder = Join-Path $env:ProgramFiles 'docker'
$docker = "$folder\docker.exe"
$ours = @($found.services) -notcontains 'docker'
$service = Get-Service -Name docker -ErrorAction SilentlyContinue

if ($service -and $service.Status -eq 'Running' -and (Test-Path $docker)) {
    foreach ($line in @(& $docker ps -a --format '{{.ID}} {{.Names}}')) {
        $id, $name = $line -split ' '
        if ($name -like 'k8s_*') { & $docker rm -f $id | Out-Null }
    }
    $others = @(& $docker ps -a --format '{{.Names}}')
    if ($ours -and $others) { throw "Docker was installed here, and holds containers of others: remove them first: $($others -join ' ')" }
    if ($ours -and $KeepImages -eq 'false') {
        foreach ($image in @(& $docker image ls -q)) { & $docker image rm -f $image | Out-Null }
    }
}
if ($ours -and $service) {
    if ($service.Status -ne 'Stopped') { Stop-Service -Name docker -Force }
    & sc.exe delete docker | Out-Null
    # 1072: marked for deletion already.
    if ($LASTEXITCODE -ne 0 -and $LASTEXITCODE -ne 1072) { throw "sc.exe delete docker ended with $LASTEXITCODE" }
    foreach ($attempt in 1..20) {
        if (-not (Get-Service -Name docker -ErrorAction SilentlyContinue)) { break }
        Start-Sleep -Seconds 1
    }
    'Docker is removed'
}
if ($ours) {
    # Only the machine's own value is read and written, and as it is spelt: variables in it stay variables.
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
    $item = Get-Item -Path $key
    $entries = @(([string]$item.GetValue('Path', '', 'DoNotExpandEnvironmentNames')) -split ';')
    if ($entries -contains $folder) {
        New-ItemProperty -Path $key -Name Path -PropertyType ($item.GetValueKind('Path')) -Value (@($entries | Where-Object { $_ -and $_ -ne $folder }) -join ';') -Force | Out-Null
        # Programs that run are told of the change, as with any variable of the machine.
        [Environment]::SetEnvironmentVariable('k8swin', $null, 'Machine')
    }
}
if ([Environment]::GetEnvironmentVariable('KUBECONFIG', 'Machine') -eq 'C:\k\config') {
    [Environment]::SetEnvironmentVariable('KUBECONFIG', $null, 'Machine')
}
$file = Join-Path $env:ProgramData 'docker\config\daemon.json'
if (-not $ours -and (Test-Path $file) -and [System.IO.File]::ReadAllText($file) -eq $DockerConfig) {
    $saved = 'C:\k8swin\state\saved\docker-daemon.json'
    if (-not (Test-Path $saved)) {
        Remove-Item -Path $file -Force
        if ($service) { Restart-Service -Name docker -Force }
    } elseif ([System.IO.File]::ReadAllText($saved) -ne $DockerConfig) {
        Copy-Item -Path $saved -Destination $file -Force
        if ($service) { Restart-Service -Name docker -Force }
    }
}
'the container runtime is as it was found'
exit 0
