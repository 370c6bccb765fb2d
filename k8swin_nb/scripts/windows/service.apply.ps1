<#
.SYNOPSIS
Define a service around a program that is none by itself, with nssm, and start it if that is wanted.
.DESCRIPTION
Restarts ten seconds after the program ends, which gives the host network service time to settle.
Output goes to a file that is rotated at 10 MiB while the program runs.
#>
param([Parameter(Mandatory = $true)][string]$Service)
$ErrorActionPreference = 'Stop'
# uses: Save-Text Start-WrappedService Stop-WindowsService

$wanted = ConvertFrom-Json $Service
$name = $wanted.name

function Invoke-Nssm {
    & C:\k\nssm.exe @args | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "nssm.exe $($args -join ' ') ended with $LASTEXITCODE" }
}

$running = $false
$with = @()
$existing = Get-Service -Name $name -ErrorAction SilentlyContinue
if ($existing) {
    # Paused is what nssm calls a program that ended and that it starts again.
    $running = $existing.Status -ne 'Stopped'
    $with = @(Get-Service -Name $name -DependentServices | Where-Object { $_.Status -ne 'Stopped' } | ForEach-Object { $_.Name })
    if ($running) { Stop-WindowsService $name }
    Invoke-Nssm set $name Application $wanted.program
} else {
    Invoke-Nssm install $name $wanted.program
}
foreach ($file in @($wanted.files)) {
    if ($file) { Save-Text $file.path $file.text }
}
Invoke-Nssm set $name AppParameters $wanted.arguments
Invoke-Nssm set $name AppDirectory 'C:\'
Invoke-Nssm set $name DisplayName "k8swin $name"
Invoke-Nssm set $name Start SERVICE_AUTO_START
Invoke-Nssm set $name DependOnService $wanted.depends
Invoke-Nssm set $name AppExit Default Restart
Invoke-Nssm set $name AppRestartDelay 10000
Invoke-Nssm set $name AppStdout $wanted.log
Invoke-Nssm set $name AppStderr $wanted.log
Invoke-Nssm set $name AppRotateFiles 1
Invoke-Nssm set $name AppRotateOnline 1
Invoke-Nssm set $name AppRotateBytes 10485760
if (@($wanted.environment).Count -gt 0) {
    Invoke-Nssm set $name AppEnvironmentExtra @($wanted.environment)
} else {
    Invoke-Nssm reset $name AppEnvironmentExtra
}
if ($running -or $wanted.start) { foreach ($service in @($name) + $with) { Start-WrappedService $service } }
"the service $name is defined"
