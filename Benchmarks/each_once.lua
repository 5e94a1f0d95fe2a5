-- wrk: many signed requests of one length, each sent once; a thread stops when its share is used up.
-- Arguments: the file that holds them, the length of one, the number of wrk's threads.
local ffi = require("ffi")
ffi.cdef [[
    typedef struct { long seconds, nanoseconds; } clock_reading;
    int clock_gettime(int clock, clock_reading *reading);
]]

local threads = {}

-- wrk itself counts its whole duration, also when the threads have stopped before.
local function microseconds()
    local reading = ffi.new("clock_reading")
    ffi.C.clock_gettime(1, reading) -- CLOCK_MONOTONIC
    return tonumber(reading.seconds) * 1e6 + tonumber(reading.nanoseconds) / 1e3
end

function setup(thread)
    thread:set("place", #threads)
    table.insert(threads, thread)
end

function init(arguments)
    all = assert(io.open(arguments[1], "rb")):read("*a")
    length = tonumber(arguments[2])
    stride = tonumber(arguments[3])
    count = #all / length
    place = place or 0 -- unset only in the state that wrk uses to look at the script
end

function request()
    began = began or microseconds()
    if place >= count then
        took = took or microseconds() - began
        wrk.thread:stop()
        place = place - stride
    end
    local text = all:sub(place * length + 1, (place + 1) * length)
    place = place + stride
    return text
end

function done(summary, latency)
    local errors = summary.errors
    local longest = 0
    for _, thread in ipairs(threads) do
        longest = math.max(longest, thread:get("took") or summary.duration)
    end
    io.write(string.format(
        'RESULT {"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "p50": %d, "p99": %d}\n',
        summary.requests, math.min(longest, summary.duration), errors.status, errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
