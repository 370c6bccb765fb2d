<#
.SYNOPSIS
Is the service defined as planned: program, arguments, environment, start mode?
.DESCRIPTION
nssm keeps a service's definition in the registry, where it is read; `nssm get` prints UTF-16.
#>
param([Parameter(Mandatory = $true)][string]$Service)
$ErrorActionPreference = 'Stop'

$wanted = ConvertFrom-Json $Service
$key = "HKLM:\SYSTEM\CurrentControlSet\Services\$($wanted.name)"
if (-not (Test-Path "$key\Parameters")) {
    if (Test-Path $key) {
        "a service $($wanted.name) exists that was not defined here"
        exit 20
    }
    "the service $($wanted.name) is not defined"
    exit 10
}
$found = Get-ItemProperty -Path "$key\Parameters"
$environment = ''
if ($found.PSObject.Properties['AppEnvironmentExtra']) { $environment = @($found.AppEnvironmentExtra) -join ' ' }
$mode = (Get-CimInstance -ClassName Win32_Service -Filter "Name='$($wanted.name)'").StartMode
$differs = @()
if ($found.Application -ne $wanted.program) { $differs += "program $($found.Application)" }
if ($found.AppParameters -ne $wanted.arguments) { $differs += "arguments $($found.AppParameters)" }
if ($environment -ne (@($wanted.environment) -join ' ')) { $differs += "environment $environment" }
if ($mode -ne 'Auto') { $differs += "start mode $mode" }
if ($wanted.start -and (Get-Service -Name $wanted.name).Status -ne 'Running') { $differs += 'it does not run' }
if ($differs) {
    "the service $($wanted.name) differs: $($differs -join '; ')"
    exit 10
}
"the service $($wanted.name) runs $($wanted.program)"
