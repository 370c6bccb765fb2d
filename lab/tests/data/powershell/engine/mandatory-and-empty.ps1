# What a mandatory parameter refuses: each Allow attribute allows its own kind, and only a collection
# can be an empty one.
function Try-It($name, [scriptblock]$block) {
    try { $found = & $block; "$name took $(if ($null -eq $found) { 'null' } else { $found })" }
    catch { "$name refused: $($_.FullyQualifiedErrorId)" }
}
function Count-It($value) { if ($null -eq $value) { 'nothing' } else { "$(@($value).Count) of them" } }
function Some-Items([Parameter(Mandatory)][AllowEmptyCollection()][array]$Items) { Count-It $Items }
function Some-Nulls([Parameter(Mandatory)][AllowNull()][object[]]$Items) { Count-It $Items }
function Some-Text([Parameter(Mandatory)][AllowEmptyString()][string[]]$Items) { Count-It $Items }
function Any-Value([Parameter(Mandatory)]$Value) { Count-It $Value }
function A-List([Parameter(Mandatory)][Collections.ArrayList]$Value) { Count-It $Value }
function Plain-Text([string[]]$Items) { ($Items | ForEach-Object { if ($null -eq $_) { 'null' } else { "'$_'" } }) -join ' ' }
foreach ($case in 'null', 'none', 'a null', 'an empty text', 'two') {
    $value = switch ($case) { 'null' { $null } 'two' { 'a', 'b' } 'an empty text' { , @('') } 'a null' { , @($null) } 'none' { , @() } }
    foreach ($command in 'Some-Items', 'Some-Nulls', 'Some-Text', 'Any-Value', 'A-List') {
        Try-It "$command with $case" { & $command $value }
    }
}
Plain-Text @($null)
Plain-Text 'a', $null
