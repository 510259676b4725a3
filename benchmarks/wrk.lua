-- Sends requests from a file in turn, and prints one line of JSON with what was measured.
--
--   wrk … -s wrk.lua URL -- FILE UNIQUE RUN
--
-- FILE holds complete HTTP requests, separated by NUL. The text UNIQUE in a request is replaced by a
-- text of the same length that starts with RUN and that no other request has.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("thread_number", #threads)
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  requests, statuses, marker, sent = {}, {}, args[2], 0
  for text in file:read("*a"):gmatch("[^%z]+") do
    table.insert(requests, text)
  end
  file:close()
  local digits = #marker - #args[3] - 2  -- the Content-Length must not change
  unique_format = args[3] .. string.format("%02d", thread_number) .. "%0" .. digits .. "d"
  first = thread_number * math.floor(#requests / 2)  -- each thread starts at a different request
end

function request()
  sent = sent + 1
  local text = requests[(first + sent) % #requests + 1]
  if not text:find(marker, 1, true) then
    return text
  end
  return (text:gsub(marker, unique_format:format(sent)))
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local totals, fields = {}, {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do
      totals[status] = (totals[status] or 0) + count
    end
  end
  for status, count in pairs(totals) do
    table.insert(fields, string.format('"%d":%d', status, count))
  end
  local errors = summary.errors
  io.write(string.format(
    '{"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"broken":%d,"statuses":{%s}}\n',
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(fields, ",")))
end
