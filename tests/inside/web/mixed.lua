-- SPDX-License-Identifier: MIT
-- Requests of all kinds, by turns.
local paths = { "/checkout/1", "/other", "/checkout/2", "/other", "/other?checkout=1" }
local at = 0

function request()
	at = at % #paths + 1
	return wrk.format("GET", paths[at])
end
