-- What is known of all nodes: leases, what they hold, what is due, who is shown.
--
-- All keys have the hash tag {presence}: on a cluster they are in one slot, so that a lease and
-- what it holds change in one step, and are lost together if they are lost.
--
-- KEYS[1]  …:leases  until when each lease holds, in microseconds
-- KEYS[2]  …:held    '{lease} {user_id} {device}', all with the same score: one lease is one range
-- KEYS[3]  …:due     '{user_id} {device}' of devices that have left, by the end of their grace
-- KEYS[4]  …:shown   who is here and not invisible, by the version of that
-- KEYS[5]  …:unshown who is not, for a while: so that news which was overtaken changes nothing
-- KEYS[6]  …:clock   the newest version that is known to have been shown
-- KEYS[7]  …:born    a name of all this; another one: it was lost meanwhile
-- ARGV     as in user_status.lua
--
-- Numbers of more than 14 digits go in and out as text.

local leases, held, due, shown, unshown = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local UNSHOWN = 60000000 -- microseconds; longer than any call is under way
local said = cjson.decode(ARGV[4])

local function text(number) return string.format('%.0f', number) end

local now
if ARGV[2] ~= '' then
    now = tonumber(ARGV[2])
else
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end

local function is_held(lease)
    local until_ = redis.call('ZSCORE', leases, lease)
    return until_ and tonumber(until_) > now
end

local function extend(lease)
    redis.call('ZADD', leases, text(now + said.lease_us), lease)
end

local function hold(members)
    for _, member in ipairs(members) do redis.call('ZADD', held, 0, member) end
end

-- What each call may know: {now, newest version that was shown, born, …}.
local function with_clock(...)
    local newest = math.max(tonumber(redis.call('GET', KEYS[6]) or 0), tonumber(ARGV[3]))
    return {text(now), text(newest), redis.call('GET', KEYS[7]) or '', ...}
end

local function keep_clock()
    local newest = math.max(tonumber(redis.call('GET', KEYS[6]) or 0), tonumber(ARGV[3]))
    redis.call('SET', KEYS[6], text(newest))
end

-- {} → …
local function look() return with_clock() end

-- {lease, lease_us} → …, 1 if the lease held until now
local function renew()
    keep_clock()
    local holds = is_held(said.lease)
    if holds then extend(said.lease) end
    return with_clock(holds and 1 or 0)
end

-- {lease, instead, lease_us, born, devices} → …, the lease that holds now, until when.
-- Devices are noted before they are put: one that nobody knows of would never end.
local function begin()
    keep_clock()
    redis.call('SETNX', KEYS[7], said.born)
    local lease = is_held(said.lease) and said.lease or said.instead
    extend(lease)
    local members = {}
    for i, device in ipairs(said.devices) do members[i] = lease .. ' ' .. device end
    hold(members)
    return with_clock(lease, text(now + said.lease_us))
end

-- {devices: [device, deadline, …]} → …
local function leave()
    for i = 1, #said.devices, 2 do
        redis.call('ZADD', due, 'GT', said.devices[i + 1], said.devices[i])
    end
    return with_clock()
end

-- {most} → …, leases that are over, devices that are due with their deadlines, when the next is
local function list_due()
    local top = text(now)
    local found = redis.call('ZRANGEBYSCORE', due, '-inf', top, 'WITHSCORES', 'LIMIT', 0, said.most)
    local over = redis.call('ZRANGEBYSCORE', leases, '-inf', top)
    local next_ = {}
    for i, key in ipairs({due, leases}) do
        local first = redis.call('ZRANGEBYSCORE', key, '(' .. top, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
        if first[2] then next_[#next_ + 1] = tonumber(first[2]) end
    end
    return with_clock(over, found, #next_ > 0 and text(math.min(unpack(next_))) or '')
end

-- {lease, most} → …, some of what it holds; where that is nothing, the lease is forgotten
local function list_held()
    local found = redis.call(
        'ZRANGEBYLEX', held, '[' .. said.lease .. ' ', '(' .. said.lease .. '!', 'LIMIT', 0, said.most)
    if #found == 0 and not is_held(said.lease) then redis.call('ZREM', leases, said.lease) end
    return with_clock(found)
end

local function note(user, version, is_shown)
    local known = math.max(
        tonumber(redis.call('ZSCORE', shown, user) or 0),
        tonumber(redis.call('ZSCORE', unshown, user) or 0))
    if tonumber(version) < known then return end
    redis.call('ZADD', is_shown and shown or unshown, version, user)
    redis.call('ZREM', is_shown and unshown or shown, user)
end

-- {held, ended, looked_at: [device, deadline, …], users: [[user, version, shown], …]} → …
local function settle()
    for _, member in ipairs(said.ended) do redis.call('ZREM', held, member) end
    local members = {}
    for _, member in ipairs(said.held) do
        if redis.call('ZSCORE', leases, string.match(member, '^%S+')) then
            members[#members + 1] = member
        end
    end
    hold(members)
    for i = 1, #said.looked_at, 2 do
        -- One that came back and has left again meanwhile has a later deadline.
        local deadline = redis.call('ZSCORE', due, said.looked_at[i])
        if deadline and tonumber(deadline) <= tonumber(said.looked_at[i + 1]) then
            redis.call('ZREM', due, said.looked_at[i])
        end
    end
    for _, each in ipairs(said.users) do note(each[1], each[2], each[3] == 1) end
    redis.call('ZREMRANGEBYSCORE', unshown, '-inf', text(now - UNSHOWN))
    return with_clock()
end

local verbs = {
    look = look, renew = renew, begin = begin, leave = leave, list_due = list_due,
    list_held = list_held, settle = settle,
}
return verbs[ARGV[1]]()
