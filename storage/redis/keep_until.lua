-- Keep a member of a sorted set until a time, which is its score; all else goes when it is over.
--
-- KEYS[1]  the set; it goes with the last of its members
-- ARGV     now, the time, milliseconds until then, the member, and one that it takes the place of
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if ARGV[5] ~= '' then redis.call('ZREM', KEYS[1], ARGV[5]) end
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
