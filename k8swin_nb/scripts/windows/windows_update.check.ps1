<#
.SYNOPSIS
Has Windows Update found nothing more to install within the last day?
.DESCRIPTION
Windows Update refuses to work for a network logon. It is asked by a task of the system's, whose last answer is
read here.
#>
param()
$ErrorActionPreference = 'Stop'
# uses: Read-JobStatus

$status = Read-JobStatus 'C:\k8swin\jobs\windows-update'
if (-not $status) {
    'would: Windows: not asked for updates yet -> all that Windows Update offers, with reboots'
    'Windows Update has not been asked yet'
    exit 10
}
$age = [DateTime]::UtcNow - [DateTime]::ParseExact($status.time, 'yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture, 'AdjustToUniversal,AssumeUniversal')
if ($status.state -ne 'done' -or $status.left -ne 0 -or $age.TotalHours -gt 24) {
    "Windows Update: $($status.state), $($status.left) left, asked $([Math]::Floor($age.TotalHours)) h ago"
    exit 10
}
"Windows Update had nothing more to install $([Math]::Floor($age.TotalHours)) h ago"
