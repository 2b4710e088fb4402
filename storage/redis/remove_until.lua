-- Take a member out of a sorted set, but not if its score has risen meanwhile.
--
-- KEYS[1]  the set
-- ARGV     the member, and the score up to which it goes
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) <= tonumber(ARGV[2]) then
    return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
