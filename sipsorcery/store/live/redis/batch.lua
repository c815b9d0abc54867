-- Answers a batch of questions about records, in their order. Redis runs it as one step.
--
-- ARGV[1]  the questions in MessagePack: arrays of the name, the arguments, and where
--          the value begins and ends
-- ARGV[2]  all values
-- ARGV[3]  the time of who asks, in seconds since the epoch
-- ARGV[4]  "1" if the batch may have been answered before and the answer was lost
--
-- Keys     sipsorcery:record:KIND:KEY     version, 16 hexadecimal digits; expiry, a double;
--                                         length of the owner, 16 bits; owner; body
--          sipsorcery:expiry:KIND         sorted set of the keys of a kind, by expiry
--          sipsorcery:due:KIND            likewise of those that are due, by that time
--          sipsorcery:owner:KIND:OWNER    likewise of those of an owner, by expiry
--
-- The sets are hints: Redis forgets a record by itself, so a key in them may be of none.
-- The answer is one string: for each question the length of its part, and the part, whose
-- first letter says what it is.

local questions = cmsgpack.unpack(ARGV[1])
local now = tonumber(ARGV[3])
local again = ARGV[4] == "1"

-- Seconds that an expired record is kept for whoever wants to act on it.
local KEPT = 60

local function record_of(kind, key)
    return "sipsorcery:record:" .. kind .. ":" .. key
end

local function expiry_of(kind)
    return "sipsorcery:expiry:" .. kind
end

local function due_of(kind)
    return "sipsorcery:due:" .. kind
end

local function owner_of(kind, owner)
    return "sipsorcery:owner:" .. kind .. ":" .. owner
end

local function expiry(value)
    return (struct.unpack(">d", value, 17))
end

local function owner(value)
    return (struct.unpack(">Hc0", value, 25))
end

local function framed(part)
    return struct.pack(">I4", #part) .. part
end

local function stored(kind, key)
    return redis.call("GET", record_of(kind, key))
end

local function living(value)
    return value and expiry(value) > now and value
end

local function version(value)
    return value and value:sub(1, 16) or ""
end

local function conflict(current)
    return "C" .. (living(current) or "")
end

local function forget_hints(kind, key, value)
    redis.call("ZREM", expiry_of(kind), key)
    redis.call("ZREM", due_of(kind), key)
    if value and owner(value) ~= "" then
        redis.call("ZREM", owner_of(kind, owner(value)), key)
    end
end

local function forget(kind, key, value)
    redis.call("DEL", record_of(kind, key))
    forget_hints(kind, key, value)
end

local function milliseconds(expires)
    return string.format("%.0f", math.max(1, math.ceil((expires + KEPT - now) * 1000)))
end

local function note_owner(kind, key, owner, expires)
    local name = owner_of(kind, owner)
    redis.call("ZREMRANGEBYSCORE", name, "-inf", now - KEPT)
    redis.call("ZADD", name, expires, key)
    local last = redis.call("ZRANGE", name, -1, -1, "WITHSCORES")
    redis.call("PEXPIRE", name, milliseconds(tonumber(last[2])))
end

local function write(old, kind, key, value, due)
    local expires, owned = expiry(value), owner(value)
    if old and owner(old) ~= "" and owner(old) ~= owned then
        redis.call("ZREM", owner_of(kind, owner(old)), key)
    end
    redis.call("SET", record_of(kind, key), value, "PX", milliseconds(expires))
    redis.call("ZADD", expiry_of(kind), expires, key)
    if due then
        redis.call("ZADD", due_of(kind), due, key)
    else
        redis.call("ZREM", due_of(kind), key)
    end
    if owned ~= "" then
        note_owner(kind, key, owned, expires)
    end
    return "K"
end

local answers = {}

function answers.get(_, kind, key)
    return "R" .. (living(stored(kind, key)) or "")
end

function answers.put(value, kind, key, due)
    return write(stored(kind, key), kind, key, value, due)
end

function answers.swap(value, kind, key, due, expected)
    local current = stored(kind, key)
    if again and version(current) == version(value) then
        return "K"
    end
    if version(living(current)) ~= expected then
        return conflict(current)
    end
    return write(current, kind, key, value, due)
end

function answers.remove(_, kind, key, expected)
    local current = stored(kind, key)
    if again and not current then
        return "K"
    end
    if not current or version(current) ~= expected then
        return conflict(current)
    end
    forget(kind, key, current)
    return "K"
end

function answers.discard(_, kind, key)
    forget(kind, key, stored(kind, key))
    return "K"
end

function answers.count(_, kind, owned)
    local name = owned and owner_of(kind, owned) or expiry_of(kind)
    return "N" .. redis.call("ZCOUNT", name, "(" .. ARGV[3], "+inf")
end

function answers.page(_, kind, owned, cursor, count)
    local name = owned and owner_of(kind, owned) or expiry_of(kind)
    local page = redis.call("ZSCAN", name, cursor, "COUNT", count)
    local parts = {}
    for each = 1, #page[2], 2 do
        local key = page[2][each]
        local value = living(stored(kind, key))
        if value then
            parts[#parts + 1] = framed(key) .. framed(value)
        end
    end
    return "P" .. framed(page[1]) .. table.concat(parts)
end

-- Pages that a question about due times looks at: expired ones may stand in its way.
local PAGES = 10

function answers.due(_, kind, till, limit)
    local parts, passed = {}, 0
    for _ = 1, PAGES do
        local keys = redis.call(
            "ZRANGEBYSCORE", due_of(kind), "-inf", till, "LIMIT", passed, limit
        )
        for _, key in ipairs(keys) do
            local value = stored(kind, key)
            if not value then
                forget_hints(kind, key)
            else
                passed = passed + 1
                if living(value) and #parts < limit then
                    parts[#parts + 1] = framed(key) .. framed(value)
                end
            end
        end
        if #parts == limit or #keys < limit then
            break
        end
    end
    return "L" .. table.concat(parts)
end

function answers.expired(_, kind, limit)
    local name = expiry_of(kind)
    local keys = redis.call("ZRANGEBYSCORE", name, "-inf", ARGV[3], "LIMIT", 0, limit)
    local parts = {}
    for _, key in ipairs(keys) do
        local value = stored(kind, key)
        if value then
            parts[#parts + 1] = framed(key) .. framed(value)
        else
            forget_hints(kind, key)
        end
    end
    return "L" .. table.concat(parts)
end

-- Forget what has expired and nobody has cared for.
function answers.purge(_, kind, limit)
    local name = expiry_of(kind)
    local keys = redis.call("ZRANGEBYSCORE", name, "-inf", now - KEPT, "LIMIT", 0, limit)
    for _, key in ipairs(keys) do
        forget(kind, key, stored(kind, key))
    end
    return "N" .. #keys
end

local parts = {}
for number, question in ipairs(questions) do
    local name, last = question[1], #question
    local value = ARGV[2]:sub(question[last - 1] + 1, question[last])
    parts[number] = framed(answers[name](value, unpack(question, 2, last - 2)))
end
return table.concat(parts)
