# += in a block with a scope of its own starts from nothing; ++ starts from the outer value
$a = 5
$list = 1, 2
$text = 'x'
function Add-Number { $a += 1; "number: $a" }
function Step-Number { $a++; "step: $a" }
function Add-Item2 { $list += 3; "list: $($list.Count) $list" }
function Add-Text { $text += 'y'; "text: $text" }
function Add-Copied { $a = $a; $a += 1; "copied: $a" }
function Add-Dotted { . { $a += 1; "dotted: $a" }; "after: $a" }
function Step-Back { $b = $a++; "b: $b $a"; --$a; "back: $a" }
Add-Number; Step-Number; Add-Item2; Add-Text; Add-Copied; Add-Dotted; Step-Back
& { $a += 100; "block $a" }
. { $a += 100; "dot $a" }
1 | ForEach-Object { $a += 1000 }
"end $a"
