// SPDX-License-Identifier: MIT
/** What a search matches of all that is shown. */
import { NONE } from '../data/capture.js';
import type { Shown } from '../model/shown.js';
import { searchFunctions } from '../ui/search.js';
import type { Search } from './state.js';

export interface MatchSums {
	readonly functions: number; // that match, of those with samples
	readonly share: number; // of all that is shown: of samples with a match anywhere in their stack
	readonly error: string; // "", or why the text is no regular expression
}

/** Null if nothing is searched. Walks stacks, not samples. */
export function matchSums(shown: Shown, search: Search): MatchSums | null {
	const { tables, now } = shown;
	const found = searchFunctions(tables, search);
	if (!found) return null;
	const hit = new Uint8Array(tables.stackCount);
	const seen = new Uint8Array(tables.funcCount);
	let sum = 0;
	for (let s = 0; s < tables.stackCount; s++) {
		const func = tables.frameFunc[tables.stackFrame[s]];
		const parent = tables.stackParent[s];
		const match = found.matches[func];
		if (match && now.total[s] > 0) seen[func] = 1;
		hit[s] = match || (parent !== NONE && hit[parent]) ? 1 : 0;
		if (hit[s]) sum += now.self[s];
	}
	const functions = seen.reduce((n, one) => n + one, 0);
	return { functions, share: now.sum > 0 ? sum / now.sum : 0, error: found.error };
}
