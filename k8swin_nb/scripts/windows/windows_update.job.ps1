<#
.SYNOPSIS
Search, download and install the updates of Windows, and write down how far that is.
.DESCRIPTION
Runs as a task of the system's. One round: what an update brings is found by the next one, after the reboot that
its status may ask for. Left alone are updates that want to talk to somebody, those that are offered only for choosing,
as previews are, and upgrades to another Windows, for which no image of a container would fit any more.
#>
param()
$ErrorActionPreference = 'Stop'
$folder = 'C:\k8swin\jobs\windows-update'
# uses: Save-JobStatus
# The category of upgrades, whose name is in the system's language.
$upgrades = '3689bdc8-b205-4af4-8d4a-a63924c5e9d5'

function Write-Status([string]$State, [int]$Left, [bool]$Reboot, [string]$Detail) {
    Save-JobStatus $folder ([ordered]@{ state = $State; left = $Left; reboot = $Reboot; detail = $Detail })
}

try {
    Write-Status 'searching' 0 $false 'asking Windows Update'
    $session = New-Object -ComObject Microsoft.Update.Session
    $session.ClientApplicationID = 'k8swin'
    $found = $null
    foreach ($attempt in 1..3) {
        # Early after a boot the service may still be stopping from what it did before.
        try {
            $found = $session.CreateUpdateSearcher().Search("IsInstalled=0 and IsHidden=0 and Type='Software'")
            break
        } catch {
            if ($attempt -eq 3) { throw }
            Start-Sleep -Seconds 30
        }
    }
    $wanted = New-Object -ComObject Microsoft.Update.UpdateColl
    $titles = @()
    foreach ($update in $found.Updates) {
        if ($update.InstallationBehavior.CanRequestUserInput -or $update.BrowseOnly) { continue }
        if (@($update.Categories | Where-Object { [string]$_.CategoryID -eq $upgrades })) { continue }
        if (-not $update.EulaAccepted) { $update.AcceptEula() }
        [void]$wanted.Add($update)
        $titles += $update.Title
    }
    if ($wanted.Count -eq 0) {
        Write-Status 'done' 0 $false 'nothing to install'
        exit 0
    }
    # Early after a boot Windows may be installing by itself: whoever comes second is refused.
    foreach ($attempt in 1..120) {
        $installer = $session.CreateUpdateInstaller()
        if (-not $installer.IsBusy) { break }
        Write-Status 'installing' $wanted.Count $false 'waiting for an installation that somebody else began'
        Start-Sleep -Seconds 30
    }
    if ($installer.RebootRequiredBeforeInstallation) {
        Write-Status 'done' $wanted.Count $true "Windows wants a reboot before it installs: $($titles -join '; ')"
        exit 0
    }
    Write-Status 'installing' $wanted.Count $false "downloading: $($titles -join '; ')"
    $downloader = $session.CreateUpdateDownloader()
    $downloader.Updates = $wanted
    [void]$downloader.Download()
    Write-Status 'installing' $wanted.Count $false "installing: $($titles -join '; ')"
    $installer.Updates = $wanted
    $result = $installer.Install()
    # 2: all of them, 3: some with errors, 4: failed, 5: aborted.
    if ($result.ResultCode -ne 2 -and $result.ResultCode -ne 3) {
        throw "Windows Update ended with $($result.ResultCode), HRESULT $('0x{0:x8}' -f $result.HResult): $($titles -join '; ')"
    }
    Write-Status 'done' $wanted.Count ([bool]$result.RebootRequired) "installed: $($titles -join '; ')"
} catch {
    Write-Status 'failed' 0 $false $_.Exception.Message
    exit 1
}
