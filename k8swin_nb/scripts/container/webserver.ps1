<#
.SYNOPSIS
A small web server that says which pod answered, for the test app.
.DESCRIPTION
Runs inside a Windows container. GET /hostname answers with the pod's name; every other path with a JSON
document: pod, address, node, and how many requests this pod has answered.
#>
param([int]$Port = 80)
$ErrorActionPreference = 'Stop'

$address = @(Get-NetIPAddress -AddressFamily IPv4 |
        Where-Object { $_.IPAddress -notlike '127.*' -and $_.IPAddress -notlike '169.254.*' } |
        ForEach-Object { $_.IPAddress })[0]
$pod = $env:POD_NAME
$answered = 0

$listener = New-Object System.Net.HttpListener
$listener.Prefixes.Add("http://+:$Port/")
$listener.Start()
"listening on port $Port as $pod at $address"

while ($listener.IsListening) {
    $context = $listener.GetContext()
    $answered++
    # A client that hangs up before its answer is there ends nothing but its own question.
    try {
        $response = $context.Response
        if ($context.Request.Url.AbsolutePath -eq '/hostname') {
            $response.ContentType = 'text/plain'
            $text = $pod
        } else {
            $response.ContentType = 'application/json'
            $text = [ordered]@{ pod = $pod; address = $address; node = $env:NODE_NAME; answered = $answered } | ConvertTo-Json -Compress
        }
        $bytes = [System.Text.Encoding]::UTF8.GetBytes($text)
        $response.ContentLength64 = $bytes.Length
        # HEAD asks how an answer would begin, and takes no more.
        if ($context.Request.HttpMethod -ne 'HEAD') { $response.OutputStream.Write($bytes, 0, $bytes.Length) }
        $response.Close()
        "$answered $($context.Request.HttpMethod) $($context.Request.Url.AbsolutePath)"
    } catch {
        "$answered was not answered: $($_.Exception.Message)"
        $context.Response.Abort()
    }
}
