# Gives back a block that writes each object as one line of JSON behind a character that begins a record (RFC 7464), which tells it
# from what warnings and Write-Host print in between: numbers, booleans and text as such, times as {"$date": ...},
# spans as {"$seconds": ...}, names of enumerations instead of their numbers. ConvertTo-Json of Windows PowerShell would write
# dates and enumerations as numbers, and what cmdlets add to a text as an object.
$k8value = {
    param($k8v, $k8deep)
    if ($null -eq $k8v -or $k8v.GetType().Name -eq 'DBNull') { return $null }
    if ($k8v -is [bool]) { return $k8v }
    if ($k8v -is [datetime] -or $k8v -is [System.DateTimeOffset]) { return @{ '$date' = $k8v.ToString('o') } }
    if ($k8v -is [timespan]) { return @{ '$seconds' = $k8v.TotalSeconds } }
    if ($k8v -is [enum]) { return "$k8v" }
    if ($k8v -is [int] -or $k8v -is [long] -or $k8v -is [double] -or $k8v -is [decimal] -or $k8v -is [single] -or
        $k8v -is [byte] -or $k8v -is [int16] -or $k8v -is [uint16] -or $k8v -is [uint32] -or $k8v -is [uint64]) { return $k8v }
    if ($k8v -is [string] -or $k8deep -le 0) { return "$k8v" }
    if ($k8v -is [System.Collections.IDictionary]) { return (& $k8entries $k8v $k8deep) }
    if ($k8v -is [System.Collections.IEnumerable]) {
        return , @(foreach ($k8e in $k8v) { & $k8value $k8e ($k8deep - 1) })
    }
    if ($k8v -is [System.Management.Automation.PSCustomObject]) { return (& $k8members $k8v $k8deep) }
    return "$k8v"
}
$k8entries = {
    param($k8v, $k8deep)
    $k8r = [ordered]@{}
    foreach ($k8n in @($k8v.Keys)) {
        $k8got = & $k8value $k8v[$k8n] ($k8deep - 1)
        # An array that came through a pipeline is wrapped, and would become an object with `value` and `Count`.
        if ($k8got -is [array]) { $k8r["$k8n"] = [object[]]$k8got } else { $k8r["$k8n"] = $k8got }
    }
    return $k8r
}
$k8members = {
    param($k8v, $k8deep)
    $k8r = [ordered]@{}
    foreach ($k8p in @($k8v.PSObject.Properties)) {
        $k8got = $null
        try { $k8got = & $k8value $k8p.Value ($k8deep - 1) } catch { $k8got = $null }
        if ($k8got -is [array]) { $k8r[$k8p.Name] = [object[]]$k8got } else { $k8r[$k8p.Name] = $k8got }
    }
    return $k8r
}
{
    process {
        if ($null -ne $_) {
            $k8plain = $_ -is [string] -or $_ -is [System.ValueType]
            if ($k8plain) { $k8made = [ordered]@{ value = (& $k8value $_ 0) } }
            elseif ($_ -is [System.Collections.IDictionary]) { $k8made = & $k8entries $_ 3 }
            else { $k8made = & $k8members $_ 3 }
            $k8out.WriteLine("$([char]30)" + (ConvertTo-Json -InputObject $k8made -Compress -Depth 6))
        }
    }
}
