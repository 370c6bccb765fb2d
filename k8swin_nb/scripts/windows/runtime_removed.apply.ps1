<#
.SYNOPSIS
Remove the containers of the cluster, images if asked, and containerd where it was installed here.
.DESCRIPTION
Tasks go before containers and containers before images, all in the namespace of Kubernetes. A containerd that
was there before us gets its configuration back and runs on; so does one that runs containers of others.
#>
param([Parameter(Mandatory = $true)][string]$KeepImages)
$ErrorActionPreference = 'Stop'
# uses: Get-Listed Remove-File Remove-WindowsService Restart-RunningService Restore-Found Set-RestartDue Test-FoundService Test-RestartDue Test-Written

$folder = Join-Path $env:ProgramFiles 'containerd'
$ctr = "$folder\ctr.exe"
$service = Get-Service -Name containerd -ErrorAction SilentlyContinue
$ours = -not (Test-FoundService containerd)

if ($service -and $service.Status -eq 'Running' -and (Test-Path $ctr)) {
    foreach ($task in @(Get-Listed $ctr @('-n', 'k8s.io', 'tasks', 'ls', '-q'))) { & $ctr -n k8s.io tasks rm -f $task | Out-Null }
    foreach ($container in @(Get-Listed $ctr @('-n', 'k8s.io', 'containers', 'ls', '-q'))) { & $ctr -n k8s.io containers rm $container | Out-Null }
    $left = @(Get-Listed $ctr @('-n', 'k8s.io', 'containers', 'ls', '-q'))
    if ($left) { throw "containers that could not be removed: $($left -join ' ')" }
    if ($KeepImages -eq 'false') {
        # A containerd of ours holds images of ours alone, those that the kubelet pulled among them.
        $present = @(Get-Listed $ctr @('-n', 'k8s.io', 'images', 'ls', '-q'))
        $images = $present
        if (-not $ours) { $images = @(Get-Content -Path 'C:\k8swin\state\images.txt' -ErrorAction SilentlyContinue | Where-Object { $present -ccontains $_ }) }
        foreach ($image in $images) {
            & $ctr -n k8s.io images rm --sync $image | Out-Null
            if ($LASTEXITCODE -ne 0) { throw "ctr.exe images rm $image ended with $LASTEXITCODE" }
        }
    }
    foreach ($namespace in @(Get-Listed $ctr @('namespaces', 'ls', '-q') | Where-Object { $_ -ne 'k8s.io' })) {
        $others = @(Get-Listed $ctr @('-n', $namespace, 'containers', 'ls', '-q'))
        if ($ours -and $others) { throw "containerd was installed here, and runs containers of others in the namespace ${namespace}: remove them first" }
    }
}
if ($KeepImages -eq 'false') { Remove-File 'C:\k8swin\state\images.txt' }

if ($ours) {
    if ($service) { Remove-WindowsService containerd }
    'containerd is removed'
    exit 0
}
$config = "$folder\config.toml"
# It is restarted only for another configuration: a restart may hold up containers of others.
if (Test-Written $config) { Set-RestartDue containerd }
Restore-Found $config
if (Test-RestartDue containerd) { Restart-RunningService containerd }
'containerd was there before and has its configuration back'
