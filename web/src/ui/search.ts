// SPDX-License-Identifier: MIT
/** The search that all views share: what matches, as State.search says. */
import type { Search } from '../app/state.js';
import type { ShownTables } from '../model/shown.js';

export interface Found {
	readonly matches: Uint8Array; // by function of the tables
	readonly error: string; // "", or why the text is no regular expression
}

/** How a function is called in lists, tips and searches: "name (file:line)". */
export function titleOf(tables: ShownTables, func: number): string {
	const name = tables.funcName[func] || '?';
	const file = tables.funcFile[func];
	const line = tables.funcLine[func];
	if (!file || file === name) return name;
	return line ? `${name} (${file}:${line})` : `${name} (${file})`;
}

/** Whether a text matches; a regular expression that is none matches as plain text, `error` says why. */
export function makeMatcher(search: Search): { test: (text: string) => boolean; error: string } {
	let error = '';
	if (search.regex) {
		try {
			const pattern = new RegExp(search.text, search.caseSensitive ? '' : 'i');
			return { test: (text) => pattern.test(text), error };
		} catch (e) {
			error = (e instanceof Error ? e.message : String(e)).replace(/^.*\/[a-z]*: /s, '');
		}
	}
	if (search.caseSensitive) return { test: (text) => text.includes(search.text), error };
	const lower = search.text.toLowerCase();
	return { test: (text) => text.toLowerCase().includes(lower), error };
}

let last: { tables: ShownTables; search: Search; found: Found } | null = null;

/**
 * 1 for each function of the tables of which "name (file:line)" matches; null if nothing is searched.
 * A regular expression that is none matches as plain text; `error` says why. The last answer is
 * kept: all views ask the same.
 */
export function searchFunctions(tables: ShownTables, search: Search): Found | null {
	if (search.text === '') return null;
	if (last && last.tables === tables && last.search === search) return last.found;
	const { test, error } = makeMatcher(search);
	const matches = new Uint8Array(tables.funcCount);
	for (let f = 0; f < tables.funcCount; f++) matches[f] = test(titleOf(tables, f)) ? 1 : 0;
	last = { tables, search, found: { matches, error } };
	return last.found;
}
