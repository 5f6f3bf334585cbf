// SPDX-License-Identifier: MIT
/**
 * Samples of a track, added up ahead so that a picture of any stretch of them costs the same: a
 * column of pixels may stand for one sample or for a million.
 *
 * A series is a row of samples in order of time; a place is an index into it. Level k of a pyramid
 * has an entry for each 16^k places (the last one may be short).
 */

/** Kinds of samples by what the thread was doing: the colours of the timeline, bottom to top. */
export const enum Kind {
	GilHeld = 0, // running, and holds the GIL
	Running = 1,
	Gc = 2,
	GilWait = 3,
	Runnable = 4,
	Waiting = 5,
	Unknown = 6,
	Lost = 7, // the stack could not be read
}
export const KINDS = 8;

/** The samples of a track. All arrays are by place. */
export interface Series {
	readonly count: number;
	readonly rows: Uint32Array | null; // rows of the capture's samples; null: first + place
	readonly first: number;
	readonly timeNs: Float64Array; // does not fall
	readonly stack: Uint32Array;
	readonly depth: Uint16Array;
	readonly kind: Uint8Array;
	readonly weight: Float64Array | null; // null: 1 each
	readonly many: boolean; // of more than one thread: samples overlap in time
}

const SHIFT = 4;
const SPAN = 1 << SHIFT;
const WIDTH = KINDS + 1; // of a row of sums: the weight of each kind, then weight times depth
const CHUNK_LEVEL = 3;
const CHUNK = SPAN ** CHUNK_LEVEL; // places that a layer works out at a time

/** Of a series: sums of what comes before every 16th place, and the deepest of each 16^k. */
export interface Pyramid {
	readonly sums: Float64Array;
	readonly deepest: readonly Uint16Array[]; // level 0 is the depth of each place
}

/** What a stretch of samples adds up to. */
export interface Mix {
	readonly weights: Float64Array; // by Kind
	weight: number;
	depthSum: number; // weight times depth
	deepest: number;
}

export function makeMix(): Mix {
	return { weights: new Float64Array(KINDS), weight: 0, depthSum: 0, deepest: 0 };
}

/** Levels 1, 2, ... above `base`: the greatest of each 16, until one is left. */
function greatest(base: Uint16Array): Uint16Array[] {
	const levels = [base];
	let below = base;
	while (below.length > SPAN) {
		const level = new Uint16Array(Math.ceil(below.length / SPAN));
		for (let i = 0; i < below.length; i++) {
			if (below[i] > level[i >> SHIFT]) level[i >> SHIFT] = below[i];
		}
		levels.push(level);
		below = level;
	}
	return levels;
}

/** Walks all of the series once. */
export function makePyramid(series: Series): Pyramid {
	const { count, kind, depth, weight } = series;
	const sums = new Float64Array(((count >> SHIFT) + 1) * WIDTH);
	const now = new Float64Array(WIDTH);
	for (let place = 0; place < count; place++) {
		if ((place & (SPAN - 1)) === 0) sums.set(now, (place >> SHIFT) * WIDTH);
		const w = weight === null ? 1 : weight[place];
		now[kind[place]] += w;
		now[KINDS] += w * depth[place];
	}
	if ((count & (SPAN - 1)) === 0) sums.set(now, (count >> SHIFT) * WIDTH);
	return { sums, deepest: greatest(depth) };
}

/** Adds the sums of all places before `place`, times `sign`, to `into`. */
function addBefore(s: Series, p: Pyramid, place: number, sign: number, into: Mix): void {
	const { weights } = into;
	const at = (place >> SHIFT) * WIDTH;
	for (let k = 0; k < KINDS; k++) weights[k] += sign * p.sums[at + k];
	into.depthSum += sign * p.sums[at + KINDS];
	addPlaces(s, (place >> SHIFT) << SHIFT, place, sign, into);
}

function addPlaces(s: Series, from: number, to: number, sign: number, into: Mix): void {
	for (let i = from; i < to; i++) {
		const w = s.weight === null ? sign : sign * s.weight[i];
		into.weights[s.kind[i]] += w;
		into.depthSum += w * s.depth[i];
	}
}

/** The greatest value of places [from, to). */
function greatestIn(levels: readonly Uint16Array[], from: number, to: number): number {
	let best = 0;
	for (let l = 0; from < to; l++) {
		const level = levels[l];
		const last = l === levels.length - 1;
		while (from < to && (last || (from & (SPAN - 1)) !== 0)) {
			if (level[from] > best) best = level[from];
			from++;
		}
		while (from < to && (to & (SPAN - 1)) !== 0) {
			to--;
			if (level[to] > best) best = level[to];
		}
		from >>= SHIFT;
		to >>= SHIFT;
	}
	return best;
}

/** What places [from, to) add up to, into `mix`. */
export function mixIn(s: Series, p: Pyramid, from: number, to: number, mix: Mix): void {
	mix.weights.fill(0);
	mix.depthSum = 0;
	if (to - from <= 2 * SPAN) {
		addPlaces(s, from, to, 1, mix);
	} else {
		addBefore(s, p, to, 1, mix);
		addBefore(s, p, from, -1, mix);
	}
	mix.weight = 0;
	for (let k = 0; k < KINDS; k++) mix.weight += mix.weights[k];
	mix.deepest = greatestIn(p.deepest, from, to);
}

/**
 * A number for each stack (a common depth, say), carried over to the samples of a series and added
 * up, chunk by chunk as they are asked for.
 */
export interface Layer {
	readonly series: Series;
	values: Uint16Array; // by stack; change it with setValues()
	readonly done: Uint8Array; // by chunk
	readonly greatest: readonly Uint16Array[]; // by level; level 0 is the value of each place
	readonly sums: readonly Float64Array[]; // from level 1: weight times value
	readonly hits: readonly Float64Array[]; // from level 1: weight of what has a value above 0
}

/** Of a layer: what a stretch of samples has. */
export interface LayerMix {
	greatest: number;
	sum: number; // weight times value
	hits: number; // weight with a value above 0
}

export function makeLayer(series: Series, values: Uint16Array): Layer {
	const top: Uint16Array[] = [new Uint16Array(series.count)];
	const sums: Float64Array[] = [];
	const hits: Float64Array[] = [];
	for (let l = 1; l <= CHUNK_LEVEL; l++) {
		const count = Math.ceil(series.count / SPAN ** l);
		top.push(new Uint16Array(count));
		sums.push(new Float64Array(count));
		hits.push(new Float64Array(count));
	}
	const done = new Uint8Array(Math.ceil(series.count / CHUNK));
	return { series, values, done, greatest: top, sums, hits };
}

/** Other values for the same series: nothing is worked out any more. */
export function setValues(layer: Layer, values: Uint16Array): void {
	layer.values = values;
	layer.done.fill(0);
}

function clearChunk(layer: Layer, first: number): void {
	for (let l = 1; l <= CHUNK_LEVEL; l++) {
		const [from, to] = [first / SPAN ** l, (first + CHUNK) / SPAN ** l];
		layer.greatest[l].fill(0, from, to);
		layer.sums[l - 1].fill(0, from, to);
		layer.hits[l - 1].fill(0, from, to);
	}
}

function fillChunk(layer: Layer, chunk: number): void {
	const { series, values, greatest: top, sums, hits } = layer;
	const first = chunk * CHUNK;
	const end = Math.min(series.count, first + CHUNK);
	clearChunk(layer, first);
	for (let i = first; i < end; i++) {
		const value = values[series.stack[i]];
		top[0][i] = value;
		if (value === 0) continue;
		const w = series.weight === null ? 1 : series.weight[i];
		const b = i >> SHIFT;
		if (value > top[1][b]) top[1][b] = value;
		sums[0][b] += w * value;
		hits[0][b] += w;
	}
	for (let l = 1; l < CHUNK_LEVEL; l++) {
		const stop = Math.ceil(end / SPAN ** l);
		for (let i = first / SPAN ** l; i < stop; i++) {
			const b = i >> SHIFT;
			if (top[l][i] > top[l + 1][b]) top[l + 1][b] = top[l][i];
			sums[l][b] += sums[l - 1][i];
			hits[l][b] += hits[l - 1][i];
		}
	}
	layer.done[chunk] = 1;
}

/**
 * Works out what places [from, to) need; false if `expired` (asked after each chunk) said stop before
 * all was done: ask again at the next frame.
 */
export function layerReady(
	layer: Layer,
	from: number,
	to: number,
	expired: () => boolean,
): boolean {
	const end = Math.ceil(to / CHUNK);
	for (let chunk = Math.floor(from / CHUNK); chunk < end; chunk++) {
		if (layer.done[chunk] !== 0) continue;
		if (expired()) return false;
		fillChunk(layer, chunk);
	}
	return true;
}

/** What places [from, to) of a layer have, into `mix`. Chunks that are not done count as 0. */
export function layerIn(layer: Layer, from: number, to: number, mix: LayerMix): void {
	mix.greatest = greatestIn(layer.greatest, from, to);
	mix.sum = 0;
	mix.hits = 0;
	if (mix.greatest === 0) return;
	for (let l = 0; from < to; l++) {
		const last = l === CHUNK_LEVEL;
		while (from < to && (last || (from & (SPAN - 1)) !== 0)) addEntry(layer, l, from++, mix);
		while (from < to && (to & (SPAN - 1)) !== 0) addEntry(layer, l, --to, mix);
		from >>= SHIFT;
		to >>= SHIFT;
	}
}

function addEntry(layer: Layer, level: number, at: number, mix: LayerMix): void {
	if (level > 0) {
		mix.sum += layer.sums[level - 1][at];
		mix.hits += layer.hits[level - 1][at];
		return;
	}
	const value = layer.greatest[0][at];
	if (value === 0) return;
	const w = layer.series.weight === null ? 1 : layer.series.weight[at];
	mix.sum += w * value;
	mix.hits += w;
}

/** The first place whose time is not below `timeNs`, looked for from `from` on; count if none is. */
export function placeAt(series: Series, timeNs: number, from = 0): number {
	const { timeNs: times, count } = series;
	if (from >= count || times[from] >= timeNs) return from;
	let low = from; // below
	let step = 1;
	while (low + step < count && times[low + step] < timeNs) {
		low += step;
		step *= 2;
	}
	let high = Math.min(count, low + step); // not below
	while (high - low > 1) {
		const middle = (low + high) >> 1;
		if (times[middle] < timeNs) low = middle;
		else high = middle;
	}
	return high;
}

/** Boundaries of `columns` columns of [fromNs, toNs): column i has the places out[i] .. out[i + 1]. */
export function columnPlaces(
	series: Series,
	fromNs: number,
	toNs: number,
	columns: number,
	out: Uint32Array,
): void {
	const step = (toNs - fromNs) / columns;
	let place = placeAt(series, fromNs);
	out[0] = place;
	for (let i = 1; i <= columns; i++) {
		place = placeAt(series, fromNs + i * step, place);
		out[i] = place;
	}
}
