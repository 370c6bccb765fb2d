<#
.SYNOPSIS
Is the service defined as planned: program, arguments, environment, start mode, dependency, restart, log?
.DESCRIPTION
nssm keeps a service's definition in the registry, where it is read; `nssm get` prints UTF-16.
#>
param([Parameter(Mandatory = $true)][string]$Service)
$ErrorActionPreference = 'Stop'
# uses: Get-FileDifference Test-FileText Test-FoundService

$wanted = ConvertFrom-Json $Service
if (Test-FoundService $wanted.name) {
    "a service $($wanted.name) was on this server before: remove it, or its server from this cluster, and delete C:\k8swin\state\found.json"
    exit 20
}
$key = "HKLM:\SYSTEM\CurrentControlSet\Services\$($wanted.name)"
if (-not (Test-Path "$key\Parameters")) {
    if (Test-Path $key) {
        "a service $($wanted.name) exists that was not defined here"
        exit 20
    }
    "would: service $($wanted.name): not there -> $($wanted.program) $($wanted.arguments)"
    foreach ($file in @($wanted.files)) { if ($file) { Get-FileDifference $file.path $file.text } }
    "the service $($wanted.name) is not defined"
    exit 10
}

function Get-Value([string]$Path, [string]$Name) {
    if (-not (Test-Path $Path)) { return '' }
    $found = Get-ItemProperty -Path $Path
    if (-not $found.PSObject.Properties[$Name]) { return '' }
    @($found.$Name) -join ' '
}

$expected = [ordered]@{
    Application         = $wanted.program
    AppParameters       = $wanted.arguments
    AppDirectory        = 'C:\'
    AppEnvironmentExtra = @($wanted.environment) -join ' '
    AppRestartDelay     = '10000'
    AppStdout           = $wanted.log
    AppStderr           = $wanted.log
    AppRotateFiles      = '1'
    AppRotateOnline     = '1'
    AppRotateBytes      = '10485760'
}
$differs = @()
foreach ($name in $expected.Keys) {
    $value = Get-Value "$key\Parameters" $name
    # Flags are told apart by their letters, paths are not.
    $same = $value -eq $expected[$name]
    if ($name -eq 'AppParameters' -or $name -eq 'AppEnvironmentExtra') { $same = $value -ceq $expected[$name] }
    if (-not $same) {
        "would: service $($wanted.name), ${name}: $value -> $($expected[$name])"
        $differs += "$name $value"
    }
}
$exit = Get-Value "$key\Parameters\AppExit" '(default)'
if ($exit -ne 'Restart') {
    "would: service $($wanted.name), AppExit: $exit -> Restart"
    $differs += "AppExit $exit"
}
$depends = Get-Value $key 'DependOnService'
if ($depends -ne $wanted.depends) {
    "would: service $($wanted.name), DependOnService: $depends -> $($wanted.depends)"
    $differs += "DependOnService $depends"
}
$mode = (Get-CimInstance -ClassName Win32_Service -Filter "Name='$($wanted.name)'").StartMode
if ($mode -ne 'Auto') {
    "would: service $($wanted.name), start mode: $mode -> Auto"
    $differs += "start mode $mode"
}
foreach ($file in @($wanted.files)) {
    if ($file -and -not (Test-FileText $file.path $file.text)) {
        Get-FileDifference $file.path $file.text
        $differs += "file $($file.path)"
    }
}
$state = (Get-Service -Name $wanted.name).Status
if ($wanted.start -and $state -eq 'Paused') { $differs += "its program ends again and again, see $($wanted.log)" }
elseif ($wanted.start -and $state -ne 'Running') {
    "would: service $($wanted.name): $state -> Running"
    $differs += 'it does not run'
}
if ($differs) {
    "the service $($wanted.name) differs: $($differs -join '; ')"
    exit 10
}
"the service $($wanted.name) runs $($wanted.program)"
