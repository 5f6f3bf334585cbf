// SPDX-License-Identifier: MIT
/** The samples of one thread: added at the end, let go at the beginning. */
import type { Samples } from '../data/capture.js';

/** Columns as in Samples; times are since the origin of the ring. Rows [from, to) count. */
export interface ThreadRows {
	timeNs: Float64Array;
	stack: Uint32Array;
	state: Uint8Array;
	flags: Uint8Array;
	cpuNs: Float64Array;
	syscall: Int16Array;
	weight: Float64Array;
	from: number;
	to: number;
}

const COLUMNS = ['timeNs', 'stack', 'state', 'flags', 'cpuNs', 'syscall', 'weight'] as const;

export const makeRows = (): ThreadRows => ({
	timeNs: new Float64Array(16),
	stack: new Uint32Array(16),
	state: new Uint8Array(16),
	flags: new Uint8Array(16),
	cpuNs: new Float64Array(16),
	syscall: new Int16Array(16),
	weight: new Float64Array(16),
	from: 0,
	to: 0,
});

type Column = ThreadRows[(typeof COLUMNS)[number]];

/** Room for `more` rows at the end: what is in use goes to the beginning, of larger columns if needed. */
function makeRoom(r: ThreadRows, more: number): void {
	if (r.to + more <= r.timeNs.length) return;
	const count = r.to - r.from;
	const size = Math.max(16, Math.ceil((count + more) * 1.5));
	const moved = <T extends Column>(column: T): T => {
		const next = new (column.constructor as new (length: number) => T)(size);
		next.set(column.subarray(r.from, r.to) as never);
		return next;
	};
	for (const name of COLUMNS) (r[name] as Column) = moved(r[name]);
	r.from = 0;
	r.to = count;
}

/** Rows [first, end) of a piece whose times are `shiftNs` later here, and whose stacks are others. */
export function addRows(
	r: ThreadRows,
	of: Samples,
	first: number,
	end: number,
	shiftNs: number,
	stacks: Uint32Array,
): void {
	const count = end - first;
	makeRoom(r, count);
	for (let i = 0; i < count; i++) {
		r.timeNs[r.to + i] = of.timeNs[first + i] + shiftNs;
		r.stack[r.to + i] = stacks[of.stack[first + i]];
	}
	for (const name of ['state', 'flags', 'cpuNs', 'syscall'] as const) {
		r[name].set(of[name].subarray(first, end), r.to);
	}
	if (of.weight) r.weight.set(of.weight.subarray(first, end), r.to);
	else r.weight.fill(1, r.to, r.to + count);
	r.to += count;
}

/** The first row of [from, to) whose time is not below `timeNs`; else `to`. */
export function rowAt(times: Float64Array, from: number, to: number, timeNs: number): number {
	let [low, high] = [from, to];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (times[middle] < timeNs) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** Copies all rows to row `at` of samples whose times begin at `startNs`. */
export function copyRows(
	r: ThreadRows,
	into: Samples,
	at: number,
	thread: number,
	startNs: number,
): void {
	const { from, to } = r;
	for (let i = from; i < to; i++) into.timeNs[at + i - from] = r.timeNs[i] - startNs;
	for (const name of ['stack', 'state', 'flags', 'cpuNs', 'syscall'] as const) {
		into[name].set(r[name].subarray(from, to), at);
	}
	into.weight?.set(r.weight.subarray(from, to), at);
	into.thread.fill(thread, at, at + to - from);
}

export function makeSamples(count: number, weighted: boolean): Samples {
	return {
		count,
		thread: new Uint32Array(count),
		timeNs: new Float64Array(count),
		stack: new Uint32Array(count),
		state: new Uint8Array(count),
		flags: new Uint8Array(count),
		cpuNs: new Float64Array(count),
		syscall: new Int16Array(count),
		weight: weighted ? new Float64Array(count) : null,
		span: null,
	};
}
