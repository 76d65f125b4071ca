-- One burst of wrk: what is sent, and one line of JSON about what came back.
-- Arguments after "--": METHOD, BODY (a file, "-" for none), "keep" or "close".
-- The 12 header fields are those that a browser sends for a page of the same site.

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function init(args)
  wrk.method = args[1]
  wrk.headers["Connection"] = args[3] == "close" and "close" or "keep-alive"
  wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
  wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
  wrk.headers["Accept-Language"] = "en-GB,en;q=0.7,de;q=0.3"
  wrk.headers["Accept-Encoding"] = "gzip, deflate, br, zstd"
  wrk.headers["Referer"] = "http://shop.example/catalogue/lamps?page=2"
  wrk.headers["Cookie"] = "session=eyJ1c2VyIjo0MjE3fQ.ZxK2aw.1pQm5r0aM3o9cV; consent=necessary; theme=dark"
  wrk.headers["Upgrade-Insecure-Requests"] = "1"
  wrk.headers["Sec-Fetch-Dest"] = "document"
  wrk.headers["Sec-Fetch-Mode"] = "navigate"
  wrk.headers["Sec-Fetch-Site"] = "same-origin"
  if args[2] ~= "-" then
    wrk.body = read(args[2])
    wrk.headers["Content-Type"] = "application/json"
  end
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'BURST {"requests": %d, "seconds": %.6f, "bytes": %d, "mean_ms": %.4f, "p50_ms": %.4f, "p99_ms": %.4f, "max_ms": %.4f, ' ..
    '"failed_connects": %d, "failed_reads": %d, "failed_writes": %d, "bad_status": %d, "timeouts": %d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency.mean / 1e3,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
