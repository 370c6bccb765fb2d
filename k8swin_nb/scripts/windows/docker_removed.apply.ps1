<#
.SYNOPSIS
Remove the kubelet's containers, and Docker where it was installed here.
.DESCRIPTION
A Docker that was there before us gets its configuration back and is restarted when that changes anything.
The kubelet names its containers k8s_. Containers of others are neither stopped nor removed: while there are
some, Docker stays and this step says so.
#>
param([Parameter(Mandatory = $true)][string]$KeepImages)
$ErrorActionPreference = 'Stop'
# uses: Get-Listed Get-MachinePath Read-Json Remove-File Remove-WindowsService Restart-RunningService Restore-Found Set-MachinePath Set-RestartDue Test-RestartDue Test-Written

$found = Read-Json 'C:\k8swin\state\found.json'
$folder = Join-Path $env:ProgramFiles 'docker'
$docker = "$folder\docker.exe"
$ours = @($found.services) -notcontains 'docker'
$service = Get-Service -Name docker -ErrorAction SilentlyContinue

if ($service -and $service.Status -eq 'Running' -and (Test-Path $docker)) {
    foreach ($line in @(Get-Listed $docker @('ps', '-a', '--format', '{{.ID}} {{.Names}}'))) {
        $id, $name = $line -split ' '
        if ($name -like 'k8s_*') { & $docker rm -f $id | Out-Null }
    }
    $others = @(Get-Listed $docker @('ps', '-a', '--format', '{{.Names}}'))
    if ($ours -and $others) { throw "Docker was installed here, and holds containers of others: remove them first: $($others -join ' ')" }
    if ($ours -and $KeepImages -eq 'false') {
        foreach ($image in @(Get-Listed $docker @('image', 'ls', '-q'))) { & $docker image rm -f $image | Out-Null }
    }
    $record = 'C:\k8swin\state\images.txt'
    if ($KeepImages -eq 'false' -and -not $ours -and (Test-Path $record)) {
        $present = @(Get-Listed $docker @('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}'))
        foreach ($image in @(Get-Content -Path $record | Where-Object { $present -ccontains $_ })) {
            & $docker image rm $image | Out-Null
            if ($LASTEXITCODE -ne 0) { throw "docker.exe image rm $image ended with $LASTEXITCODE" }
        }
    }
}
if ($ours -and $service) {
    Remove-WindowsService docker
    'Docker is removed'
}
if ($ours) {
    $entries = @(Get-MachinePath)
    if ($entries -contains $folder) { Set-MachinePath @($entries | Where-Object { $_ -and $_ -ne $folder }) }
}
if ([Environment]::GetEnvironmentVariable('KUBECONFIG', 'Machine') -eq 'C:\k\config') {
    $before = $null
    if ($found.kubeconfig) { $before = $found.kubeconfig }
    [Environment]::SetEnvironmentVariable('KUBECONFIG', $before, 'Machine')
}
$file = Join-Path $env:ProgramData 'docker\config\daemon.json'
if (-not $ours -and (Test-Written $file)) {
    Set-RestartDue docker
    Restore-Found $file
}
if (-not $ours -and (Test-RestartDue docker)) { Restart-RunningService docker }
if ($KeepImages -eq 'false') { Remove-File 'C:\k8swin\state\images.txt' }
'the container runtime is as it was found'
exit 0
