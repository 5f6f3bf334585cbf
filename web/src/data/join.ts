// SPDX-License-Identifier: MIT
/** Two captures with tables in common, so that they can be compared row by row. */
import type { Capture, Frames, Functions, Place, Stacks } from './capture.js';
import { NONE } from './capture.js';
import { depthsOf } from './decode.js';
import { makePairs, pairRow } from './pairs.js';

type Rows = Uint32Array; // of the tables in common, by row of the own one

/** Strings of both; those of `now` keep their rows. */
function joinStrings(now: Capture, before: Capture): { strings: string[]; of: Rows } {
	const strings = [...now.strings];
	const index = new Map<string, number>();
	// the first of equal ones is the one to which functions refer
	for (let row = strings.length; row-- > 0; ) index.set(strings[row], row);
	const of = Uint32Array.from(before.strings, (text) => {
		const known = index.get(text);
		if (known !== undefined) return known;
		index.set(text, strings.length);
		return strings.push(text) - 1;
	});
	return { strings, of };
}

/** A file is the same by its short name: the two captures may be of different directories. */
const fileKey = (place: Place): string => `${place.kind} ${place.short}`;

/** By file: what tells it apart. One that `now` has by its whole path is that one. */
function fileKeys(c: Capture, now: Capture): (file: number) => string {
	const known = new Map([...now.places].map(([row, place]) => [now.strings[row], fileKey(place)]));
	return (file) => {
		const place = c.places.get(file);
		return known.get(c.strings[file]) ?? (place ? fileKey(place) : c.strings[file]);
	};
}

/** Functions that may be the same: by name, file and kind. */
function namesakes(c: Capture, now: Capture): Map<string, number[]> {
	const { functions, strings } = c;
	const keyOf = fileKeys(c, now);
	const groups = new Map<string, number[]>();
	for (let f = 0; f < functions.count; f++) {
		const path = keyOf(functions.file[f]);
		const key = JSON.stringify([strings[functions.name[f]], path, functions.kind[f]]);
		const group = groups.get(key);
		if (group) group.push(f);
		else groups.set(key, [f]);
	}
	for (const group of groups.values()) group.sort((a, b) => functions.line[a] - functions.line[b]);
	return groups;
}

/**
 * Code moves: functions of one name in one file are the same in their order, if both captures have
 * equally many of them, and else those with equal lines.
 */
function matchFunctions(now: Capture, before: Capture): Int32Array {
	const of = new Int32Array(before.functions.count).fill(NONE);
	const groups = namesakes(now, now);
	for (const [key, theirs] of namesakes(before, now)) {
		const ours = groups.get(key) ?? [];
		theirs.forEach((f, i) => {
			const line = before.functions.line[f];
			const same = ours.find((g) => now.functions.line[g] === line);
			of[f] = (ours.length === theirs.length ? ours[i] : same) ?? NONE;
		});
	}
	return of;
}

/** From files of `before` to strings of both: to the file of `now` that is the same. */
function joinFiles(now: Capture, before: Capture, strings: Rows): (file: number) => number {
	const ours = new Map([...now.places].map(([row, place]) => [fileKey(place), row]));
	return (file) => {
		const place = before.places.get(file);
		if (!place || now.places.has(strings[file])) return strings[file];
		return ours.get(fileKey(place)) ?? strings[file];
	};
}

function joinFunctions(now: Capture, before: Capture, strings: Rows): { all: Functions; of: Rows } {
	const fileOf = joinFiles(now, before, strings);
	const added: number[] = []; // rows of `before`
	const of = Uint32Array.from(matchFunctions(now, before), (known, row) =>
		known === NONE ? now.functions.count + added.push(row) - 1 : known,
	);
	const { name, file, line, kind } = before.functions;
	const all: Functions = {
		count: now.functions.count + added.length,
		name: Uint32Array.from([...now.functions.name, ...added.map((f) => strings[name[f]])]),
		file: Uint32Array.from([...now.functions.file, ...added.map((f) => fileOf(file[f]))]),
		line: Uint32Array.from([...now.functions.line, ...added.map((f) => line[f])]),
		kind: Uint8Array.from([...now.functions.kind, ...added.map((f) => kind[f])]),
	};
	return { all, of };
}

/** Pairs of `now` keep their rows, also if some of them are equal. */
function joinPairs(
	now: readonly [ArrayLike<number>, ArrayLike<number>],
	before: readonly [ArrayLike<number>, ArrayLike<number>],
	first: (value: number, of: Rows) => number,
	second: (value: number) => number,
): { all: [Int32Array, Int32Array]; of: Rows } {
	const [a, b] = now;
	const pairs = makePairs(a.length + before[0].length);
	const rows = new Int32Array(a.length + before[0].length); // of `now`, by row among the pairs
	for (let row = 0; row < a.length; row++) {
		const known = pairs.count;
		const pair = pairRow(pairs, a[row], b[row]);
		if (pair === known) rows[pair] = row;
	}
	const all: [Int32Array, Int32Array] = [new Int32Array(rows.length), new Int32Array(rows.length)];
	all[0].set(a);
	all[1].set(b);
	let count = a.length;
	const of = new Uint32Array(before[0].length);
	for (let row = 0; row < of.length; row++) {
		const known = pairs.count;
		const x = first(before[0][row], of);
		const y = second(before[1][row]);
		const pair = pairRow(pairs, x, y);
		if (pair === known) {
			rows[pair] = count;
			all[0][count] = x;
			all[1][count++] = y;
		}
		of[row] = rows[pair];
	}
	return { all: [all[0].subarray(0, count), all[1].subarray(0, count)], of };
}

function joinFrames(now: Frames, before: Frames, functions: Rows): { all: Frames; of: Rows } {
	const { all, of } = joinPairs(
		[now.func, now.line],
		[before.func, before.line],
		(func) => functions[func],
		(line) => line,
	);
	const [func, line] = all.map((column) => Uint32Array.from(column));
	return { all: { count: func.length, func, line }, of };
}

function joinStacks(now: Stacks, before: Stacks, frames: Rows): { all: Stacks; of: Rows } {
	const { all, of } = joinPairs(
		[now.parent, now.frame],
		[before.parent, before.frame],
		(parent, rows) => (parent === NONE ? NONE : rows[parent]),
		(frame) => frames[frame],
	);
	const parent = Int32Array.from(all[0]);
	const frame = Uint32Array.from(all[1]);
	return { all: { count: parent.length, parent, frame, depth: depthsOf(parent) }, of };
}

const moved = <T>(map: ReadonlyMap<number, T>, of: Rows): Map<number, T> =>
	new Map([...map].map(([row, value]) => [of[row], value]));

/**
 * The same captures; strings, functions, frames and stacks of both are the same tables, in which the
 * rows of `now` are what they were. Places and sources of a file that both have are their own.
 */
export function joinCaptures(now: Capture, before: Capture): { now: Capture; before: Capture } {
	const { strings, of } = joinStrings(now, before);
	const functions = joinFunctions(now, before, of);
	const frames = joinFrames(now.frames, before.frames, functions.of);
	const stacks = joinStacks(now.stacks, before.stacks, frames.of);
	const tables = {
		strings,
		functions: functions.all,
		frames: frames.all,
		stacks: stacks.all,
	};
	const places = moved(before.places, of);
	const sources = moved(before.sources, of);
	const stack = before.samples.stack.map((row) => stacks.of[row]);
	return {
		now: {
			...now,
			...tables,
			places: new Map([...places, ...now.places]),
			sources: new Map([...sources, ...now.sources]),
		},
		before: {
			...before,
			...tables,
			places: new Map([...now.places, ...places]),
			sources: new Map([...now.sources, ...sources]),
			samples: { ...before.samples, stack },
		},
	};
}
