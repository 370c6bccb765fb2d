# What null keys, patterns that cannot be read and values that do not fit raise.
$ordered = [ordered]@{ a = 1 }
$table = @{ a = 1 }
$blocks = [ordered]@{
    'contains'           = { $table.ContainsKey($null) }
    'ordered contains'   = { $ordered.Contains($null) }
    'remove'             = { $table.Remove($null) }
    'replace'            = { 'a' -replace '(', 'b' }
    'switch'             = { switch -Regex ('a') { '(' { 1 } } }
    'like'               = { 'a' -like '[a' }
    'a variable'         = { [int]$number = 'x' }
    'a variable later'   = { [int]$number = 1; $number = 'x' }
    'a checked variable' = { [ValidateRange(1, 5)][int]$number = 9 }
    'a scoped variable'  = { [int]$script:number = 'x' }
}
foreach ($name in $blocks.Keys) {
    try { "$name`: $(& $blocks[$name])" }
    catch { "$name`: $($_.Exception.GetType().Name) $($_.FullyQualifiedErrorId) $($_.CategoryInfo.Category)" }
}
foreach ($value in 5, 5L) { [math]::Round($value, 2).GetType().Name }
[math]::Round(5.126, 2).GetType().Name
