# Serves one script after the other that only looks, each in a scope of its own. It ends with its standard input.
$k8served = [ScriptBlock]::Create($k8doc.loader)
while ($true) {
    $k8line = $k8in.ReadLine()
    if ($null -eq $k8line) { break }
    $k8doc = ConvertFrom-Json $k8line
    & $k8served
    $Error.Clear()
}
