// SPDX-License-Identifier: MIT
/**
 * The samples of a thread for the flame chart: what consecutive samples have in common, for any
 * stretch of them at the price of a few steps.
 *
 * A place is an index into the thread's samples. Level k of `joined` has, for each 2^k places, the
 * deepest stack that all of them begin with; NONE if there is none, or if ticks are missing within.
 */
import type { Capture } from '../data/capture.js';
import { NONE, SampleState } from '../data/capture.js';
import type { ShownTables } from '../model/shown.js';

export interface Lane {
	readonly thread: number;
	readonly first: number; // row of the capture's samples at place 0
	readonly count: number;
	readonly timeNs: Float64Array;
	readonly endNs: Float64Array; // the next sample, unless ticks are missing before it
	readonly gap: Uint8Array; // 1: ticks are missing before the next place
	readonly joined: readonly Int32Array[]; // level 0: the stack as shown, NONE: not shown
	readonly depth: number; // of the deepest stack
	readonly busy: number; // places with a stack in which the thread ran, or was ready to
}

type Stacks = Pick<ShownTables, 'stackParent' | 'stackDepth' | 'stackCount'>;

/** Stacks with short cuts: `up` leads to the next parent at a depth that is a multiple of STRIDE. */
export interface Climb extends Stacks {
	readonly up: Int32Array;
}

const STRIDE = 16;
const climbs = new WeakMap<Stacks, Climb>();

/** Kept with the tables. */
export function climbOf(tables: Stacks): Climb {
	let climb = climbs.get(tables);
	if (!climb) {
		const { stackParent, stackDepth, stackCount } = tables;
		const up = new Int32Array(stackCount);
		for (let s = 0; s < stackCount; s++) {
			const parent = stackParent[s];
			up[s] = parent === NONE || stackDepth[parent] % STRIDE === 0 ? parent : up[parent];
		}
		climb = { stackParent, stackDepth, stackCount, up };
		climbs.set(tables, climb);
	}
	return climb;
}

function climbTo(c: Climb, stack: number, depth: number): number {
	const { stackParent: parent, stackDepth, up } = c;
	let s = stack;
	while (up[s] !== NONE && stackDepth[up[s]] >= depth) s = up[s];
	while (stackDepth[s] > depth) s = parent[s];
	return s;
}

/** The deepest stack that two begin with; NONE if there is none. */
export function joinStacks(c: Climb, a: number, b: number): number {
	const { stackParent: parent, stackDepth: depth, up } = c;
	if (a === NONE || b === NONE) return NONE;
	let x = depth[a] > depth[b] ? climbTo(c, a, depth[b]) : a;
	let y = depth[b] > depth[a] ? climbTo(c, b, depth[a]) : b;
	while (x !== y && up[x] !== up[y]) {
		x = up[x];
		y = up[y];
	}
	while (x !== y) {
		x = parent[x];
		y = parent[y];
	}
	return x;
}

/** The stack that is the first `depth` frames of another; NONE if that has fewer. */
export function stackAt(t: Stacks, stack: number, depth: number): number {
	if (stack === NONE || depth < 1 || t.stackDepth[stack] < depth) return NONE;
	return climbTo(climbOf(t), stack, depth);
}

/** Ticks come at random moments of their periods: only more than this is one that is missing. */
const LATE_PERIODS = 1.5;

function joinLevels(c: Climb, level0: Int32Array, gap: Uint8Array): Int32Array[] {
	const levels = [level0];
	let below = level0;
	for (let size = 1; below.length > 1; size *= 2) {
		const level = new Int32Array(below.length >> 1);
		for (let i = 0; i < level.length; i++) {
			const [a, b] = [below[2 * i], below[2 * i + 1]];
			if (gap[(2 * i + 1) * size - 1]) level[i] = NONE;
			else level[i] = a === b ? a : joinStacks(c, a, b);
		}
		levels.push(level);
		below = level;
	}
	return levels;
}

/** Walks the thread's samples; `mask` says by (state << 6 | flags) which are shown. */
export function makeLane(
	capture: Capture,
	tables: ShownTables,
	stackOf: Int32Array,
	mask: Uint8Array,
	thread: number,
	gone: Uint8Array | null = null, // by sample: left out
): Lane {
	const { samples, periodNs } = capture;
	const { first, count } = capture.threads[thread];
	const timeNs = samples.timeNs.subarray(first, first + count);
	const stacks = new Int32Array(count);
	const gap = new Uint8Array(count);
	const endNs = new Float64Array(count);
	let depth = 0;
	let busy = 0;
	for (let i = 0; i < count; i++) {
		const row = first + i;
		const state = samples.state[row];
		const shown = mask[(state << 6) | (samples.flags[row] & 63)] === 1 && !gone?.[row];
		const stack = shown ? stackOf[samples.stack[row]] : NONE;
		stacks[i] = stack;
		if (stack !== NONE) {
			depth = Math.max(depth, tables.stackDepth[stack]);
			if (state === SampleState.OnCpu || state === SampleState.Runnable) busy++;
		}
		const own = periodNs * (samples.weight ? samples.weight[row] : 1);
		const next = i + 1 < count ? timeNs[i + 1] : Infinity;
		const late = next - timeNs[i] > own + LATE_PERIODS * periodNs;
		gap[i] = late ? 1 : 0;
		endNs[i] = late ? timeNs[i] + own : next;
	}
	const joined = joinLevels(climbOf(tables), stacks, gap);
	return { thread, first, count, timeNs, endNs, gap, joined, depth, busy };
}

/** What places [from, to), at least one, all begin with; NONE if nothing or if ticks are missing. */
export function joinIn(t: Stacks, lane: Lane, from: number, to: number): number {
	const climb = climbOf(t);
	const { joined, gap } = lane;
	let at = from;
	let all = joined[0][at++];
	while (at < to && all !== NONE) {
		if (gap[at - 1]) return NONE;
		let level = 0;
		while (at % (2 << level) === 0 && at + (2 << level) <= to && joined[level + 1]) level++;
		const next = joined[level][at >> level];
		if (next !== all) all = joinStacks(climb, all, next);
		at += 1 << level;
	}
	return all;
}

/** The first place whose sample is not before timeNs, looked for from `from` on. */
export function placeFrom(lane: Lane, timeNs: number, from = 0): number {
	let low = from;
	let high = lane.count;
	for (let step = 1; low + step < high && lane.timeNs[low + step] < timeNs; step *= 2) low += step;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (lane.timeNs[middle] < timeNs) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** The place whose sample lasts over a moment; NONE if there is none. */
export function placeOver(lane: Lane, timeNs: number): number {
	const place = placeFrom(lane, timeNs);
	if (place < lane.count && lane.timeNs[place] === timeNs) return place;
	return place > 0 && lane.endNs[place - 1] > timeNs ? place - 1 : NONE;
}

/** A call: places [from, to) through which a frame stays where it is. */
export interface Call {
	readonly from: number;
	readonly to: number;
	readonly stack: number; // as shown, ends in the frame
}

/** The call that a place is in at a depth (1: the root's); null if its stack has fewer frames. */
export function callAt(t: Stacks, lane: Lane, place: number, depth: number): Call | null {
	const { joined, gap, count } = lane;
	const stack = stackAt(t, joined[0][place], depth);
	if (stack === NONE) return null;
	const same = (level: number, at: number): boolean =>
		stackAt(t, joined[level]?.[at] ?? NONE, depth) === stack;
	let to = place + 1;
	while (to < count && !gap[to - 1] && same(0, to)) {
		let level = 0;
		while (to % (2 << level) === 0 && same(level + 1, to >> (level + 1))) level++;
		to += 1 << level;
	}
	let from = place;
	while (from > 0 && !gap[from - 1] && same(0, from - 1)) {
		let level = 0;
		while (from % (2 << level) === 0 && same(level + 1, (from >> (level + 1)) - 1)) level++;
		from -= 1 << level;
	}
	return { from, to, stack };
}
