// SPDX-License-Identifier: MIT
/**
 * Weights of the samples that a range, a mode and hidden threads leave, by stack of the capture.
 * While a range is dragged only the samples at its two ends are looked at: weights are whole
 * numbers, so that adding and taking away leaves no trace.
 */
import type { Mode, Range } from '../app/state.js';
import { type Capture, SampleState } from '../data/capture.js';
import { modeMask, rowsIn, STATE_VALUES } from './samples.js';
import { goneRows } from './spans.js';

/** Of Side.shares: on processor, runnable, waiting, other. */
export const SHARES = 4;

export interface Weights {
	/** By stack, SHARES numbers each: what the threads that are shown were doing. */
	readonly cells: Float64Array;
	/** By stack: sum of the squares of the weights; null if all are 1, or are counts of samples. */
	readonly squares: Float64Array | null;
	readonly rows: Int32Array; // by thread: first, end
	readonly hiddenSum: number; // of the threads that are hidden
}

export interface Selecting {
	readonly range: Range | null; // null: all
	readonly spans: string; // as State.spans
	readonly mode: Mode;
	readonly hidden: readonly number[]; // rows of threads
}

function shareOf(state: number): number {
	if (state === SampleState.OnCpu) return 0;
	if (state === SampleState.Runnable) return 1;
	return state === SampleState.Waiting ? 2 : 3;
}

/** By state << 6 | flags: which share; SHARES: not in this mode. */
function shareTable(mode: Mode): Uint8Array {
	const mask = modeMask(mode);
	return Uint8Array.from({ length: STATE_VALUES }, (_, value) =>
		mask[value] ? shareOf(value >> 6) : SHARES,
	);
}

/** Imported counts may be microseconds or bytes: then a sample is not as good as its weight. */
export function countsAreSamples(c: Capture): boolean {
	return c.unit === 'samples' && !(c.facts.has('format') && c.periodNs > 0);
}

function rowsOf(capture: Capture, range: Range | null): Int32Array {
	const rows = new Int32Array(capture.threads.length * 2);
	for (const { row, first, count } of capture.threads) {
		const [from, end] = range ? rowsIn(capture, row, range) : [first, first + count];
		rows[row * 2] = from;
		rows[row * 2 + 1] = end;
	}
	return rows;
}

interface Adder {
	readonly capture: Capture;
	readonly gone: Uint8Array | null; // by sample
	readonly shares: Uint8Array;
	readonly cells: Float64Array;
	readonly squares: Float64Array | null;
}

/** Adds rows [first, end), times `sign`. */
function addRows(a: Adder, first: number, end: number, sign: number): void {
	const { stack, state, flags, weight } = a.capture.samples;
	const { cells, gone, shares, squares } = a;
	for (let row = first; row < end; row++) {
		const share = shares[(state[row] << 6) | flags[row]];
		if (share === SHARES || gone?.[row]) continue;
		const w = weight === null ? sign : sign * weight[row];
		cells[stack[row] * SHARES + share] += w;
		if (squares !== null && weight !== null) squares[stack[row]] += w * weight[row];
	}
}

function sumRows(a: Adder, first: number, end: number): number {
	const { state, flags, weight } = a.capture.samples;
	let sum = 0;
	for (let row = first; row < end; row++) {
		if (a.shares[(state[row] << 6) | flags[row]] === SHARES || a.gone?.[row]) continue;
		sum += weight === null ? 1 : weight[row];
	}
	return sum;
}

/** Rows that have to be looked at to get from one selection to another one. */
function distance(from: Int32Array, to: Int32Array): number {
	let rows = 0;
	for (let i = 0; i < to.length; i += 2) {
		const apart = to[i] >= from[i + 1] || from[i] >= to[i + 1];
		rows += apart
			? to[i + 1] - to[i] + from[i + 1] - from[i]
			: Math.abs(to[i] - from[i]) + Math.abs(to[i + 1] - from[i + 1]);
	}
	return rows;
}

function size(rows: Int32Array): number {
	let sum = 0;
	for (let i = 0; i < rows.length; i += 2) sum += rows[i + 1] - rows[i];
	return sum;
}

/** From [a, b) to [c, d). */
function moveRows(adder: Adder, a: number, b: number, c: number, d: number): void {
	if (c >= b || a >= d) {
		addRows(adder, a, b, -1);
		addRows(adder, c, d, 1);
		return;
	}
	addRows(adder, c, a, 1);
	addRows(adder, a, c, -1);
	addRows(adder, b, d, 1);
	addRows(adder, d, b, -1);
}

/** `near`: of the same capture, mode and hidden threads, with another range; or null. */
export function weigh(capture: Capture, s: Selecting, near: Weights | null): Weights {
	const rows = rowsOf(capture, s.range);
	const shares = shareTable(s.mode);
	const reuse = near !== null && distance(near.rows, rows) < size(rows) ? near : null;
	const wanted = capture.samples.weight !== null && !countsAreSamples(capture);
	const cells = reuse ? reuse.cells.slice() : new Float64Array(capture.stacks.count * SHARES);
	const squares = wanted
		? (reuse?.squares?.slice() ?? new Float64Array(capture.stacks.count))
		: null;
	const gone = goneRows(capture, s.spans);
	const adder: Adder = { capture, gone, shares, cells, squares };
	const hidden = new Set(s.hidden);
	let hiddenSum = 0;
	for (let i = 0; i < rows.length; i += 2) {
		const [first, end] = [rows[i], rows[i + 1]];
		if (hidden.has(i / 2)) hiddenSum += sumRows(adder, first, end);
		else if (reuse) moveRows(adder, reuse.rows[i], reuse.rows[i + 1], first, end);
		else addRows(adder, first, end, 1);
	}
	return { cells, squares, rows, hiddenSum };
}
