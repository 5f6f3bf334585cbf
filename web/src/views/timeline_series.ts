// SPDX-License-Identifier: MIT
/** The samples of tracks, as model/pyramid.ts wants them: of a thread, or of several in one row. */
import { type Capture, Flag, SampleState } from '../data/capture.js';
import { KINDS, Kind, makePyramid, type Pyramid, placeAt, type Series } from '../model/pyramid.js';

/** What a sample is drawn as; it counts once, as the first of these that holds. */
export function kindOf(state: number, flags: number): Kind {
	if ((flags & Flag.Unreadable) !== 0) return Kind.Lost;
	if ((flags & Flag.InGc) !== 0) return Kind.Gc;
	if ((flags & Flag.WaitsForGil) !== 0) return Kind.GilWait;
	if (state === SampleState.OnCpu) {
		return (flags & Flag.HoldsGil) !== 0 ? Kind.GilHeld : Kind.Running;
	}
	if (state === SampleState.Runnable) return Kind.Runnable;
	return state === SampleState.Waiting ? Kind.Waiting : Kind.Unknown;
}

/** In words, for legends and tips. */
export const KIND_NAMES: readonly string[] = [
	'running, holds the GIL',
	'running without the GIL',
	'collecting garbage',
	'waiting for the GIL',
	'runnable, no processor',
	'waiting',
	'unknown',
	'stack not readable',
];

/** What tracks draw of the samples of a capture, by row; and the weights of each thread by kind. */
export interface Drawn {
	readonly kind: Uint8Array;
	readonly depth: Uint16Array;
	readonly weights: Float64Array; // at thread * KINDS + kind
}

export function makeDrawn(capture: Capture): Drawn {
	const { samples, stacks } = capture;
	const table = Uint8Array.from({ length: 512 }, (_, value) => kindOf(value >> 6, value & 63));
	const kind = new Uint8Array(samples.count);
	const depth = new Uint16Array(samples.count);
	const weights = new Float64Array(capture.threads.length * KINDS);
	for (const thread of capture.threads) {
		const end = thread.first + thread.count;
		for (let row = thread.first; row < end; row++) {
			const k = table[((samples.state[row] & 7) << 6) | (samples.flags[row] & 63)];
			kind[row] = k;
			depth[row] = stacks.depth[samples.stack[row]];
			weights[thread.row * KINDS + k] += samples.weight === null ? 1 : samples.weight[row];
		}
	}
	return { kind, depth, weights };
}

/** By thread: the weight of the samples in which it ran. */
export function busyOf(drawn: Drawn): Float64Array {
	const busy = new Float64Array(drawn.weights.length / KINDS);
	for (const [i, weight] of drawn.weights.entries()) {
		if (i % KINDS <= Kind.Gc) busy[Math.floor(i / KINDS)] += weight;
	}
	return busy;
}

/** The kinds that some sample is of. */
export function kindsIn(drawn: Drawn): Kind[] {
	const all: Kind[] = KIND_NAMES.map((_, kind) => kind);
	return all.filter((kind) => drawn.weights.some((w, i) => w > 0 && i % KINDS === kind));
}

/** A track's samples and, once it is drawn, their pyramid. */
export interface Track {
	readonly series: Series;
	readonly pyramid: Pyramid;
	readonly deepest: number;
	readonly usual: number; // that of all but a few samples: one deep moment must not flatten the rest
}

export function makeTrack(capture: Capture, drawn: Drawn, threads: readonly number[]): Track {
	const series =
		threads.length === 1
			? ofThread(capture, drawn, threads[0])
			: ofThreads(capture, drawn, threads);
	const pyramid = makePyramid(series);
	let deepest = 0;
	for (const d of pyramid.deepest[pyramid.deepest.length - 1]) deepest = Math.max(deepest, d);
	return { series, pyramid, deepest, usual: usualDepth(series, deepest) };
}

/** No more than 4 % of the samples are deeper. */
function usualDepth(series: Series, deepest: number): number {
	const counts = new Uint32Array(deepest + 1);
	for (const depth of series.depth) counts[depth]++;
	let above = 0;
	let depth = deepest;
	while (depth > 1 && above + counts[depth] < series.count / 25) above += counts[depth--];
	return depth;
}

function ofThread(capture: Capture, drawn: Drawn, thread: number): Series {
	const { first, count } = capture.threads[thread];
	const { samples } = capture;
	const end = first + count;
	return {
		count,
		first,
		rows: null,
		timeNs: samples.timeNs.subarray(first, end),
		stack: samples.stack.subarray(first, end),
		depth: drawn.depth.subarray(first, end),
		kind: drawn.kind.subarray(first, end),
		weight: samples.weight?.subarray(first, end) ?? null,
		many: false,
	};
}

function ofThreads(capture: Capture, drawn: Drawn, threads: readonly number[]): Series {
	const { samples } = capture;
	const rows = rowsByTime(capture, threads);
	const series = {
		count: rows.length,
		first: 0,
		rows,
		timeNs: new Float64Array(rows.length),
		stack: new Uint32Array(rows.length),
		depth: new Uint16Array(rows.length),
		kind: new Uint8Array(rows.length),
		weight: samples.weight === null ? null : new Float64Array(rows.length),
		many: true,
	};
	for (let i = 0; i < rows.length; i++) {
		const row = rows[i];
		series.timeNs[i] = samples.timeNs[row];
		series.stack[i] = samples.stack[row];
		series.depth[i] = drawn.depth[row];
		series.kind[i] = drawn.kind[row];
		if (series.weight !== null && samples.weight !== null) series.weight[i] = samples.weight[row];
	}
	return series;
}

/** Rows of the samples of several threads in order of time: dealt into bins, then sorted in them. */
export function rowsByTime(capture: Capture, threads: readonly number[]): Uint32Array {
	const { timeNs } = capture.samples;
	let count = 0;
	let last = 0;
	for (const t of threads) {
		const thread = capture.threads[t];
		count += thread.count;
		if (thread.count > 0) last = Math.max(last, timeNs[thread.first + thread.count - 1]);
	}
	const scale = count / (last + 1);
	const starts = new Uint32Array(count + 2);
	const each = (visit: (row: number, bin: number) => void) => {
		for (const t of threads) {
			const { first, count: n } = capture.threads[t];
			for (let r = first; r < first + n; r++) visit(r, Math.max(0, Math.floor(timeNs[r] * scale)));
		}
	};
	each((_, bin) => starts[bin + 1]++);
	for (let i = 1; i < starts.length; i++) starts[i] += starts[i - 1];
	const rows = new Uint32Array(count);
	each((row, bin) => {
		rows[starts[bin]++] = row;
	});
	for (let bin = 0, from = 0; bin < starts.length && from < count; from = starts[bin++]) {
		sortByTime(rows.subarray(from, starts[bin]), timeNs);
	}
	return rows;
}

function sortByTime(rows: Uint32Array, timeNs: Float64Array): void {
	if (rows.length > 32) {
		rows.sort((a, b) => timeNs[a] - timeNs[b]);
		return;
	}
	for (let i = 1; i < rows.length; i++) {
		const row = rows[i];
		const time = timeNs[row];
		let at = i;
		for (; at > 0 && timeNs[rows[at - 1]] > time; at--) rows[at] = rows[at - 1];
		rows[at] = row;
	}
}

/** The capture's row of a place. */
export function rowOf(series: Series, place: number): number {
	return series.rows === null ? series.first + place : series.rows[place];
}

/** The place of a capture's row; NONE (-1) if the series does not have it. */
export function placeOf(series: Series, row: number, timeNs: number): number {
	if (series.rows === null) {
		const place = row - series.first;
		return place >= 0 && place < series.count ? place : -1;
	}
	for (let i = placeAt(series, timeNs); i < series.count && series.timeNs[i] === timeNs; i++) {
		if (series.rows[i] === row) return i;
	}
	return -1;
}

/** How long a sample is drawn: up to the next one, unless ticks are missing between them. */
export function endOf(series: Series, place: number, periodNs: number): number {
	const time = series.timeNs[place];
	const own = periodNs * (series.weight === null ? 1 : series.weight[place]);
	const next = place + 1 < series.count ? series.timeNs[place + 1] : Infinity;
	return next - time <= own + 1.5 * periodNs ? next : time + own;
}

/**
 * Places [from, to) that a stretch of time shows: the samples taken in it; if there is none, those
 * that last into it. Empty if there is nothing.
 */
export function placesIn(
	series: Series,
	fromNs: number,
	toNs: number,
	periodNs: number,
): [number, number] {
	const to = placeAt(series, toNs);
	if (series.many) return [placeAt(series, Math.min(fromNs, toNs - periodNs)), to];
	const from = placeAt(series, fromNs);
	if (from < to) return [from, to];
	return from > 0 && endOf(series, from - 1, periodNs) > fromNs ? [from - 1, from] : [from, from];
}
