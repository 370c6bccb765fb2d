# Runs the script that came in the document on standard input. The automatic input variable must not be named in
# this file: Windows PowerShell looks for the name and would then read standard input itself.
# The word is known to nobody before: what stands between the two lines with it is the script's output.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$OutputEncoding = New-Object System.Text.UTF8Encoding($false)
try { [Console]::OutputEncoding = $OutputEncoding } catch { }
# With the code page of this shell Windows begins a program's standard input with a byte-order mark, which few programs read.
try { [Console]::InputEncoding = $OutputEncoding } catch { }
$k8word = $k8doc.word
$k8code = ''
# What writes is taken once: a script may give the console another encoding or another place to write to.
$k8out = [Console]::Out
$k8err = [Console]::Error
# A process that has served before is known to be ours: what it says first would be waited for by itself.
if (-not $k8doc.again) { $k8out.WriteLine("$k8word begin") }
$k8q = New-Object System.Collections.ArrayList
$k8flush = {
    if ($k8q.Count -gt 0) {
        foreach ($k8l in ($k8q | Out-String -Stream -Width 160)) { $k8out.WriteLine($k8l.TrimEnd()) }
        $k8q.Clear()
    }
}
$k8write = {
    process {
        if ($_ -is [string]) { & $k8flush; $k8out.WriteLine($_) }
        elseif ($null -ne $_) { [void]$k8q.Add($_) }
    }
}
$global:LASTEXITCODE = 0
$k8script = $null
try {
    $k8args = @{}
    foreach ($k8p in $k8doc.parameters.PSObject.Properties) { $k8args[$k8p.Name] = $k8p.Value }
    $k8made = [ScriptBlock]::Create($k8doc.script)
    # Of a script that is no file Windows PowerShell passes over what its #requires lines ask for.
    $k8needs = $k8made.Ast.ScriptRequirements
    if ($k8needs) {
        if ($k8needs.RequiredPSVersion -gt $PSVersionTable.PSVersion) {
            throw "the script requires PowerShell $($k8needs.RequiredPSVersion), this host has $($PSVersionTable.PSVersion)"
        }
        if ($k8needs.RequiredPSEditions -and @($k8needs.RequiredPSEditions) -notcontains 'Desktop') {
            throw "the script requires PowerShell's edition $($k8needs.RequiredPSEditions), this host has Desktop"
        }
        if ($k8needs.IsElevationRequired) {
            $k8who = New-Object System.Security.Principal.WindowsPrincipal ([System.Security.Principal.WindowsIdentity]::GetCurrent())
            if (-not $k8who.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)) {
                throw "the script requires an administrator with all rights, $env:USERNAME is none"
            }
        }
        foreach ($k8p in $k8needs.RequiredModules) { Import-Module -FullyQualifiedName $k8p }
    }
    $k8script = $k8made
    $k8stdin = $k8doc.stdin
    $k8rest = @()
    if ($null -ne $k8doc.arguments) { $k8rest = @($k8doc.arguments) }
    $k8sink = $k8write
    if ($k8doc.objects) { $k8sink = . ([ScriptBlock]::Create($k8doc.objects)) }
    if ($k8doc.progress) { . ([ScriptBlock]::Create($k8doc.progress)) }
    if ($k8doc.environment) {
        foreach ($k8p in $k8doc.environment.PSObject.Properties) { Set-Item -LiteralPath "env:$($k8p.Name)" -Value $k8p.Value }
    }
    $k8mode = "$($k8doc.strict)"
    $k8doc = $null
    if ($k8mode -eq 'off') { $ErrorActionPreference = 'Continue' }
    if ($k8mode -eq 'strict') { Set-StrictMode -Version Latest }
    $k8whole = $false
    # A `break` or `continue` outside of a loop, as in ForEach-Object, leaves the script, and would leave this one too.
    foreach ($k8once in 1) {
        if ($null -ne $k8stdin) { $k8stdin | & $k8script @k8args @k8rest | & $k8sink }
        else { & $k8script @k8args @k8rest | & $k8sink }
        $k8whole = $true
    }
    if (-not $k8whole) {
        $k8script = $null
        throw 'the script was left by `break` or `continue` outside of a loop: what comes after it did not run'
    }
    $k8code = $global:LASTEXITCODE -as [int]
} catch {
    Set-StrictMode -Off
    $k8code = 1
    $k8e = $_.Exception
    while ($k8e -is [System.Management.Automation.MethodInvocationException] -and $k8e.InnerException) {
        $k8e = $k8e.InnerException
    }
    $k8err.WriteLine($k8e.Message)
    $k8at = $_.InvocationInfo
    if ($k8script -and $k8at.ScriptLineNumber -gt 0 -and "$($k8at.Line)" -notlike '*$k8script*') {
        $k8err.WriteLine("at line $($k8at.ScriptLineNumber): $("$($k8at.Line)".Trim())")
    }
    if (-not $k8in) { exit 1 }
} finally {
    Set-StrictMode -Off
    # What cannot be shown must not hide that the script has ended.
    try { & $k8flush } catch {
        $k8err.WriteLine("$_")
        if ($k8code -eq 0) { $k8code = 1 }
    }
    # A script that calls exit comes here too, and its code is known to the program alone.
    if ($k8in) { $k8err.WriteLine("$k8word end") }
    $k8out.WriteLine("$k8word end $k8code!")
}
# Of a process that serves several scripts this is not the end.
if (-not $k8in) { exit $global:LASTEXITCODE }
