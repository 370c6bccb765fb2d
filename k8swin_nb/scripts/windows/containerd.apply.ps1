<#
.SYNOPSIS
Configure containerd, register it as a service that restarts after a failure, and start it.
.DESCRIPTION
The configuration is what the server has, with what Kubernetes needs of it; the file as it was found is kept. It
is written without a byte-order mark: containerd does not read one.
#>
param(
    [Parameter(Mandatory = $true)][string]$ContainerdConfig,
    [Parameter(Mandatory = $true)][string]$ContainerdSha256,
    [Parameter(Mandatory = $true)][string]$ContainerdLogJob,
    [string]$RegistryLogins = 'false'
)
$ErrorActionPreference = 'Stop'
# uses: Get-Sha256 Protect-File Save-Found Set-RestartDue Start-RuntimeService Test-FoundService Test-NightJob Write-OwnFile

# A small task of the system's for every night, or for when the server runs again. By itself Windows starts none while it
# takes a battery for its power, such as that of a UPS.
function Register-NightJob([string]$Job, [string]$Script) {
    $folder = "C:\k8swin\jobs\$Job"
    if (-not (Test-Path $folder)) { New-Item -ItemType Directory -Path $folder -Force | Out-Null }
    [System.IO.File]::WriteAllText("$folder\run.ps1", $Script, (New-Object System.Text.UTF8Encoding($true)))
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File $folder\run.ps1"
    $trigger = New-ScheduledTaskTrigger -Daily -At ([DateTime]::Today.AddHours(3))
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    $settings = New-ScheduledTaskSettingsSet -ExecutionTimeLimit (New-TimeSpan -Hours 1) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -StartWhenAvailable
    Register-ScheduledTask -TaskName "k8swin-$Job" -Action $action -Trigger $trigger -Principal $principal -Settings $settings -Force | Out-Null
}

$folder = Join-Path $env:ProgramFiles 'containerd'
if (-not (Test-Path "$folder\config.toml") -or (Get-Sha256 "$folder\config.toml") -ne $ContainerdSha256) {
    Set-RestartDue containerd
    if ($RegistryLogins -eq 'true') {
        # Passwords are in it: what was found is kept before its rights are narrowed.
        Save-Found "$folder\config.toml"
        Protect-File "$folder\config.toml"
    }
    Write-OwnFile "$folder\config.toml" $ContainerdConfig
}
Write-OwnFile 'C:\k\crictl.yaml' "runtime-endpoint: npipe:////./pipe/containerd-containerd`n"

if (-not (Get-Service -Name containerd -ErrorAction SilentlyContinue)) {
    & "$folder\containerd.exe" --register-service --config "$folder\config.toml" --log-file C:\var\log\containerd\containerd.log
    if ($LASTEXITCODE -ne 0) { throw "containerd.exe --register-service ended with $LASTEXITCODE" }
}
# It writes its log by itself, and takes nothing away.
if (-not (Test-FoundService containerd) -and -not (Test-NightJob 'containerd-log' $ContainerdLogJob)) { Register-NightJob 'containerd-log' $ContainerdLogJob }
Start-RuntimeService containerd
'containerd is configured and started'
