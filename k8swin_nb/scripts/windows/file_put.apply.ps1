<#
.SYNOPSIS
Move a new file that lies beside its place there, once its content is proved.
.DESCRIPTION
A file that is there keeps its owner and its rights. What somebody else made is kept first, where this account may do that.
#>
param(
    [Parameter(Mandatory = $true)][string]$File,
    [Parameter(Mandatory = $true)][string]$Part,
    [Parameter(Mandatory = $true)][string]$Sha256,
    [string]$Validate = ''
)
$ErrorActionPreference = 'Stop'
# uses: Add-Written Get-Sha256 Invoke-Patiently Remove-File Save-Found

$new = "$File.$Part"
$old = "$new.old"
try {
    $found = Get-Sha256 $new
    if ($found -ne $Sha256) { throw "SHA-256 is $found, expected $Sha256" }
    if ($Validate) {
        $global:LASTEXITCODE = 0
        & ([ScriptBlock]::Create('param($new) ' + $Validate.Replace("'%s'", '%s').Replace('%s', '$new'))) $new | Out-Null
        if ($global:LASTEXITCODE -ne 0) { throw "it did not pass ``$Validate`` ($($global:LASTEXITCODE)); $File is as it was" }
    }
    Save-Found $File
    Add-Written $File $Sha256
    if (Test-Path -LiteralPath $File) {
        Invoke-Patiently { [System.IO.File]::Replace($new, $File, $old) }
    } else {
        Invoke-Patiently { Move-Item -LiteralPath $new -Destination $File }
    }
} finally {
    Remove-File $new
    # Never the only one that is left.
    if (Test-Path -LiteralPath $File) { Remove-File $old }
}
