// SPDX-License-Identifier: MIT
/**
 * Tables that grow: each piece of a live recording comes with tables of its own, whose rows become
 * rows of these. Rows stay what they are for as long as the page is open, but those of stacks, which
 * are renumbered when most of them are no longer used.
 */
import type { Capture, Frames, Functions, Place, Source, Stacks } from '../data/capture.js';
import { NONE } from '../data/capture.js';
import { depthsOf } from '../data/decode.js';
import { makePairs, type Pairs, pairRow } from '../data/pairs.js';

/** Rows of the tables in common, by row of those of a piece. */
type Rows = Uint32Array;

export interface Tables {
	readonly strings: string[];
	readonly stringRows: Map<string, number>;
	readonly functionRows: Map<string, number>;
	readonly functions: [name: number, file: number, line: number, kind: number][];
	readonly frames: Pairs; // (function, line)
	stacks: Pairs; // (parent, frame)
	places: ReadonlyMap<number, Place>;
	sources: ReadonlyMap<number, Source>;
	columns: Functions | null; // of the functions; null: there are more since
	depth: Uint16Array; // of the first stacks
}

export function makeTables(): Tables {
	return {
		strings: [],
		stringRows: new Map(),
		functionRows: new Map(),
		functions: [],
		frames: makePairs(1024),
		stacks: makePairs(4096),
		places: new Map(),
		sources: new Map(),
		columns: null,
		depth: new Uint16Array(0),
	};
}

export function stringRow(t: Tables, text: string): number {
	const known = t.stringRows.get(text);
	if (known !== undefined) return known;
	const row = t.strings.push(text) - 1;
	t.stringRows.set(text, row);
	return row;
}

function functionRow(t: Tables, name: number, file: number, line: number, kind: number): number {
	const key = `${name} ${file} ${line} ${kind}`;
	const known = t.functionRows.get(key);
	if (known !== undefined) return known;
	const row = t.functions.push([name, file, line, kind]) - 1;
	t.functionRows.set(key, row);
	t.columns = null;
	return row;
}

const sameSource = (a: Source | undefined, b: Source): boolean =>
	a !== undefined && a.text === b.text && a.note === b.note;

/** What is as it was stays the same object: views keep what they made of it. */
function joinFiles(t: Tables, piece: Capture, strings: Rows): void {
	const places = new Map(t.places);
	for (const [file, place] of piece.places) {
		if (!places.has(strings[file])) places.set(strings[file], place);
	}
	if (places.size > t.places.size) t.places = places;
	const fresh = [...piece.sources].filter(
		([file, source]) => !sameSource(t.sources.get(strings[file]), source),
	);
	if (fresh.length === 0) return;
	const sources = new Map(t.sources);
	for (const [file, source] of fresh) {
		// a text is not given up for the note that it is not there this time
		const had = sources.get(strings[file]);
		if (source.text !== '' || !had?.text) sources.set(strings[file], source);
	}
	t.sources = sources;
}

/** Takes in the tables of a piece; by its rows of stacks, those in common. */
export function joinTables(t: Tables, piece: Capture): { strings: Rows; stacks: Rows } {
	const { functions, frames, stacks } = piece;
	const strings = Uint32Array.from(piece.strings, (text) => stringRow(t, text));
	joinFiles(t, piece, strings);
	const func = Uint32Array.from({ length: functions.count }, (_, f) =>
		functionRow(
			t,
			strings[functions.name[f]],
			strings[functions.file[f]],
			functions.line[f],
			functions.kind[f],
		),
	);
	const frame = Uint32Array.from({ length: frames.count }, (_, f) =>
		pairRow(t.frames, func[frames.func[f]], frames.line[f] | 0),
	);
	const stack = new Uint32Array(stacks.count);
	for (let s = 0; s < stacks.count; s++) {
		const parent = stacks.parent[s];
		stack[s] = pairRow(t.stacks, parent === NONE ? NONE : stack[parent], frame[stacks.frame[s]]);
	}
	return { strings, stacks: stack };
}

/**
 * Stacks without those that are neither `used` nor lead to one that is. By old row the new one, NONE
 * for those that are gone.
 */
export function thinStacks(t: Tables, used: Uint8Array): Int32Array {
	const { count, first, second } = t.stacks;
	for (let s = count; s-- > 0; ) if (used[s] && first[s] !== NONE) used[first[s]] = 1;
	const kept = makePairs(count >> 1);
	const rows = new Int32Array(count).fill(NONE);
	for (let s = 0; s < count; s++) {
		if (!used[s]) continue;
		rows[s] = pairRow(kept, first[s] === NONE ? NONE : rows[first[s]], second[s]);
	}
	t.stacks = kept;
	t.depth = new Uint16Array(0);
	return rows;
}

function functionColumns(t: Tables): Functions {
	const column = (at: number): Uint32Array => Uint32Array.from(t.functions, (f) => f[at] ?? 0);
	t.columns ??= {
		count: t.functions.length,
		name: column(0),
		file: column(1),
		line: column(2),
		kind: Uint8Array.from(t.functions, (f) => f[3]),
	};
	return t.columns;
}

/** The numbers of pairs, not copied: rows are only ever added. */
const unsigned = (numbers: Int32Array, count: number): Uint32Array =>
	new Uint32Array(numbers.buffer, 0, count);

/** The tables as they are now; they stay so when more is taken in. */
export function tablesNow(t: Tables): {
	functions: Functions;
	frames: Frames;
	stacks: Stacks;
} {
	const parent = t.stacks.first.subarray(0, t.stacks.count);
	if (t.depth.length !== t.stacks.count) t.depth = depthsOf(parent);
	return {
		functions: functionColumns(t),
		frames: {
			count: t.frames.count,
			func: unsigned(t.frames.first, t.frames.count),
			line: unsigned(t.frames.second, t.frames.count),
		},
		stacks: {
			count: t.stacks.count,
			parent,
			frame: unsigned(t.stacks.second, t.stacks.count),
			depth: t.depth,
		},
	};
}
