-- Deals a deck of raw requests to wrk, each with a text of its own where `mark` stands, and tells
-- what came of it as one line of JSON.
--
--   wrk … -s wrk.lua URL -- DECK MARK RUN
--
-- The requests in the file DECK are parted by NUL; RUN starts every unique text.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  deck, statuses, mark, count = {}, {}, args[2], 0
  for raw in file:read("*a"):gmatch("[^%z]+") do
    table.insert(deck, raw)
  end
  file:close()
  -- As long as the mark, so that no Content-Length changes.
  unique = args[3] .. string.format("%02d", number) .. "%0" .. #mark - #args[3] - 2 .. "d"
  place = number * math.floor(#deck / 2)  -- the threads start in different parts of the deck
end

function request()
  count = count + 1
  local raw = deck[(place + count) % #deck + 1]
  local from, to = raw:find(mark, 1, true)
  if not from then
    return raw
  end
  local text = unique:format(count)
  repeat
    raw = raw:sub(1, from - 1) .. text .. raw:sub(to + 1)
    from, to = raw:find(mark, to + 1, true)
  until not from
  return raw
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local total, told = {}, {}
  for _, thread in ipairs(threads) do
    for status, times in pairs(thread:get("statuses")) do
      total[status] = (total[status] or 0) + times
    end
  end
  for status, times in pairs(total) do
    table.insert(told, string.format('"%d":%d', status, times))
  end
  local errors = summary.errors
  io.write(string.format(
    '{"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"broken":%d,"statuses":{%s}}\n',
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(told, ",")))
end
