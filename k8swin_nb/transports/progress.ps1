# Writes what Write-Progress tells to standard error, one state over the other, as programs show it on a terminal. A function
# goes before the cmdlet of its name; what cmdlets tell by themselves stays silent, which makes some of them much faster.
function Write-Progress {
    param(
        [Parameter(Position = 0)][string]$Activity,
        [Parameter(Position = 1)][string]$Status,
        [Parameter(Position = 2)][int]$Id,
        [int]$PercentComplete = -1,
        [int]$SecondsRemaining = -1,
        [string]$CurrentOperation,
        [int]$ParentId,
        [int]$SourceId,
        [switch]$Completed
    )
    if ($Completed) {
        $k8err.Write("`n")
        return
    }
    $said = $Activity
    if ($Status) { $said = "${said}: $Status" }
    if ($CurrentOperation) { $said = "$said, $CurrentOperation" }
    if ($PercentComplete -ge 0) { $said = "$said $PercentComplete%" }
    if ($SecondsRemaining -ge 0) { $said = "$said, $SecondsRemaining s left" }
    $k8err.Write("`r$said")
}
