-- How one user is: all her devices in one JSON text, changed in one step.
--
-- KEYS[1]  user_status:{user_id}. No other key, so that it runs on every node of a cluster.
-- ARGV[1]  what to do: see the table at the end.
-- ARGV[2]  now, in microseconds; empty: by the clock of Redis. Tests have one of their own.
-- ARGV[3]  the newest version that is known to have been shown, or 0
-- ARGV[4]  what it needs, as JSON
--
-- Returns {changed, left, shown, version, devices that are no longer, as {lease, id, …}}.
-- Numbers of more than 14 digits are kept as text: cjson would round them.

local said = cjson.decode(ARGV[4])

local function text(number) return string.format('%.0f', number) end

local function clock()
    if ARGV[2] ~= '' then return tonumber(ARGV[2]) end
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]
end

local now = clock()
local ended = {}

local function find(list, id)
    for i, each in ipairs(list) do
        if each.id == id then return i end
    end
end

local function take(list, id)
    local i = find(list, id)
    return i and table.remove(list, i)
end

local function load()
    local found = redis.call('GET', KEYS[1])
    if not found then return nil end
    local record = cjson.decode(found)
    record.left = record.left or {}
    return record
end

-- What a change is a change of. JSON, for texts may have anything in them.
local function looks(record)
    local parts = {record.invisible}
    for _, device in ipairs(record.devices) do
        parts[#parts + 1] = {device.status or 'online', device.name or '', device.location or ''}
    end
    return cjson.encode(parts)
end

-- The newer device, with what it has not reported as it was before.
local function reporting(known, newer)
    newer.since = known.since
    newer.status = newer.status or known.status
    newer.name = newer.name or known.name
    newer.location = newer.location or known.location
    return newer
end

-- Put a device where it was, or where one was that has left, or behind all others.
local function place(record, device)
    local devices, left = record.devices, record.left
    local i = find(devices, device.id)
    if i then
        take(left, device.id)
    elseif #left > 0 then
        -- The last to leave: where several have left, it is most likely to be back.
        i = find(devices, table.remove(left).id)
    end
    if not i then
        devices[#devices + 1] = device
        return
    end
    local known = devices[i]
    if known.id ~= device.id or known.lease ~= device.lease then
        ended[#ended + 1] = {known.lease, known.id}
    end
    devices[i] = reporting(known, device)
end

-- Keep a record and return what all return; `before` is how it looked, nil: it was not there.
local function done(record, before)
    local here = #record.devices > 0
    local changed = before ~= looks(record)
    if changed then
        -- Above all that was shown, also if it comes in the same microsecond.
        record.version = text(math.max(now, tonumber(ARGV[3]), tonumber(record.version or 0)) + 1)
        record.changed_at = said.at
    end
    if here then
        if #record.left == 0 then record.left = nil end
        redis.call('SET', KEYS[1], cjson.encode(record))
    else
        redis.call('DEL', KEYS[1])
    end
    local left = changed and not here and not record.invisible
    local shown = here and not record.invisible
    return {changed and 1 or 0, left and 1 or 0, shown and 1 or 0, record.version, unpack(ended)}
end

local function nobody()
    return {0, 0, 0, text(math.max(now, tonumber(ARGV[3])))}
end

-- {at, until_, invisible, devices}. Says LATE where the lease of the devices is over: whoever
-- claims it may have been here already, and nobody would end what came after that.
local function put()
    if now >= tonumber(said.until_) then return redis.error_reply('LATE the lease is over') end
    local record, before = load(), nil
    if record then
        before = looks(record)
    else
        record = {invisible = said.invisible, devices = {}, left = {}}
    end
    for _, device in ipairs(said.devices) do place(record, device) end
    return done(record, before)
end

-- {grace, ids}. Returns the deadlines instead, as {id, deadline, …}; the first one stays.
local function leave()
    local record, deadlines = load(), {}
    if not record then return deadlines end
    for _, id in ipairs(said.ids) do
        if find(record.devices, id) then
            local i = find(record.left, id)
            if not i then
                i = #record.left + 1
                record.left[i] = {id = id, due = text(now + said.grace)}
            end
            deadlines[#deadlines + 1] = id
            deadlines[#deadlines + 1] = record.left[i].due
        end
    end
    done(record, looks(record))
    return deadlines
end

-- {at, invisible}
local function hide()
    local record = load()
    if not record then return nobody() end
    local before = looks(record)
    record.invisible = said.invisible
    return done(record, before)
end

-- {at, leases}. Ends devices of these leases, and those whose grace is over.
local function finish()
    local record = load()
    if not record then return nobody() end
    local before = looks(record)
    local over, staying = {}, {}
    for _, lease in ipairs(said.leases) do over[lease] = true end
    for _, device in ipairs(record.devices) do
        local i = find(record.left, device.id)
        if over[device.lease] or (i and tonumber(record.left[i].due) <= now) then
            take(record.left, device.id)
            ended[#ended + 1] = {device.lease, device.id}
        else
            staying[#staying + 1] = device
        end
    end
    record.devices = staying
    return done(record, before)
end

local verbs = {put = put, leave = leave, hide = hide, finish = finish}
return verbs[ARGV[1]]()
