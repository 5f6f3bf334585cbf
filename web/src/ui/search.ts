// SPDX-License-Identifier: MIT
/** The search that all views share: what matches, as State.search says. */
import type { Search } from '../app/state.js';
import type { ShownTables } from '../model/shown.js';

/**
 * 1 for each function of the tables of which "name (file:line)" matches; null if nothing is searched.
 * A regular expression that is none matches as plain text; `error` says why.
 */
export function searchFunctions(
	tables: ShownTables,
	search: Search,
): { matches: Uint8Array; error: string } | null {
	throw new Error(`not yet: ${tables.funcCount} ${search.text}`);
}
