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
    [string]$RegistryLogins = 'false'
)
$ErrorActionPreference = 'Stop'
# uses: Get-Sha256 Protect-File Save-Found Set-RestartDue Start-RuntimeService Write-OwnFile

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
Start-RuntimeService containerd
'containerd is configured and started'
