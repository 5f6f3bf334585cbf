// SPDX-License-Identifier: MIT
/**
 * A lane of the flame chart in columns of pixels. What all samples of a column begin with is drawn
 * in full; above it the stack of one of them stands for all, faded.
 */
import { NONE } from '../data/capture.js';
import type { ShownTables } from '../model/shown.js';
import type { Lane } from './chart_series.js';
import { climbOf, joinIn, joinStacks, placeFrom } from './chart_series.js';

export interface Columns {
	readonly count: number;
	readonly stack: Int32Array; // that stands for the column; NONE: empty
	readonly place: Int32Array; // of its sample
	readonly sure: Uint16Array; // depth up to which all samples of the column are alike
	readonly on: Uint16Array; // depth up to which it goes on into the next column unchanged
}

/** `count` columns over [fromNs, toNs). */
export function makeColumns(
	tables: ShownTables,
	lane: Lane,
	fromNs: number,
	toNs: number,
	count: number,
): Columns {
	const columns: Columns = {
		count,
		stack: new Int32Array(count).fill(NONE),
		place: new Int32Array(count).fill(NONE),
		sure: new Uint16Array(count),
		on: new Uint16Array(count),
	};
	const step = (toNs - fromNs) / count;
	let a = placeFrom(lane, fromNs);
	let lastPlace = NONE; // of the column before
	for (let c = 0; c < count; c++) {
		const start = fromNs + c * step;
		const b = placeFrom(lane, start + step, a);
		let [from, to] = [a, b];
		if (from === to && from > 0 && lane.endNs[from - 1] > start) from--;
		a = b;
		if (from >= to) {
			lastPlace = NONE;
			continue;
		}
		fillColumn(columns, tables, lane, c, from, to);
		if (lastPlace !== NONE) columns.on[c - 1] = goesOn(tables, lane, lastPlace, from);
		lastPlace = to - 1;
	}
	return columns;
}

function fillColumn(
	columns: Columns,
	tables: ShownTables,
	lane: Lane,
	c: number,
	from: number,
	to: number,
): void {
	const all = to - from === 1 ? lane.joined[0][from] : joinIn(tables, lane, from, to);
	let place = (from + to) >> 1;
	if (lane.joined[0][place] === NONE) place = from;
	columns.place[c] = place;
	columns.stack[c] = lane.joined[0][place];
	columns.sure[c] = all === NONE ? 0 : tables.stackDepth[all];
}

function goesOn(tables: ShownTables, lane: Lane, from: number, to: number): number {
	const stacks = lane.joined[0];
	if (from < to && (lane.gap[from] || to > from + 1)) return 0;
	const both =
		stacks[from] === stacks[to]
			? stacks[to]
			: joinStacks(climbOf(tables), stacks[from], stacks[to]);
	return both === NONE ? 0 : tables.stackDepth[both];
}

/** Colours by function as pixels; `sample` (by place) overrides, if it is there. */
export interface Inks {
	readonly full: Uint32Array; // by function of the tables
	readonly faded: Uint32Array;
	readonly sample: ((place: number) => number) | null;
}

/** Fills an image of `columns.count` times `depth` pixels, the root's row first; 0: nothing there. */
export function fillImage(
	columns: Columns,
	tables: ShownTables,
	inks: Inks,
	pixels: Uint32Array,
	depth: number,
): void {
	const { frameFunc, stackFrame, stackParent, stackDepth } = tables;
	const { count } = columns;
	pixels.fill(0);
	for (let c = 0; c < count; c++) {
		const sure = columns.sure[c];
		const own = inks.sample && columns.stack[c] !== NONE ? inks.sample(columns.place[c]) : 0;
		for (let s = columns.stack[c]; s !== NONE; s = stackParent[s]) {
			const d = stackDepth[s];
			if (d > depth) continue;
			const func = frameFunc[stackFrame[s]];
			pixels[(d - 1) * count + c] = own || (d <= sure ? inks.full[func] : inks.faded[func]);
		}
	}
}

/** A stretch of columns [from, to) in which one call goes on, in full. */
export interface Run {
	readonly depth: number;
	readonly from: number;
	readonly to: number;
	readonly place: number;
}

/** Calls of at least `least` columns, down to `depth`. */
export function findRuns(columns: Columns, depth: number, least: number): Run[] {
	const { count, sure, on, place } = columns;
	const begun = new Int32Array(depth + 1).fill(NONE);
	const runs: Run[] = [];
	const end = (d: number, c: number): void => {
		const from = begun[d];
		if (from !== NONE && c - from >= least)
			runs.push({ depth: d, from, to: c, place: place[from] });
		begun[d] = NONE;
	};
	let open = 0; // depths below it may have begun
	for (let c = 0; c <= count; c++) {
		const here = c < count ? Math.min(depth, sure[c]) : 0;
		const kept = c > 0 && c < count ? Math.min(here, on[c - 1]) : 0;
		for (let d = kept + 1; d <= open; d++) end(d, c);
		for (let d = 1; d <= here; d++) if (begun[d] === NONE) begun[d] = c;
		open = here;
	}
	return runs;
}
