# A type at the end of a line is no cast of what the next line begins with.
$number = 5
$number -is [string]
$number -is [int]
$kind = [int]
$number -as $kind
function Takes([int]
    $Value, [Parameter(Mandatory)]
    [string]
    $Name) { "$Value $Name" }
Takes 1 a
[ValidateRange(1, 9)]
$checked = 4
$checked
