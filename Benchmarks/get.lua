-- wrk: one signed request, again and again. Arguments: the file that holds it.
function init(arguments)
    text = assert(io.open(arguments[1], "rb")):read("*a")
end

function request()
    return text
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        'RESULT {"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}\n',
        summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
