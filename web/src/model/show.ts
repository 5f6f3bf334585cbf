// SPDX-License-Identifier: MIT
/** From a state to what is shown of a capture; see shown.ts. */
import type { Range, State } from '../app/state.js';
import { type Capture, NONE } from '../data/capture.js';
import type { Shown, Side } from './shown.js';
import { type Shaped, sampledStacks, shapeTables } from './tables.js';
import { countsAreSamples, type Selecting, SHARES, type Weights, weigh } from './weights.js';

const KEPT = 6; // results of each kind: enough for going back and forth, and for comparing

/** The last few results, by key. */
interface Recent<T> {
	readonly entries: { readonly key: string; readonly value: T }[]; // newest first
}

function recall<T>(recent: Recent<T>, key: string): T | null {
	const at = recent.entries.findIndex((entry) => entry.key === key);
	if (at < 0) return null;
	const [entry] = recent.entries.splice(at, 1);
	recent.entries.unshift(entry);
	return entry.value;
}

function remember<T>(recent: Recent<T>, key: string, value: T): T {
	recent.entries.unshift({ key, value });
	recent.entries.length = Math.min(recent.entries.length, KEPT);
	return value;
}

const makeRecent = <T>(): Recent<T> => ({ entries: [] });

/** Of what is shown: the weights by stack of the capture, as lines and files need them. */
interface OwnWeights {
	readonly now: Float64Array; // SHARES numbers for each stack
	readonly before: Float64Array | null;
	readonly beforeScale: number; // of `before`, to get weights as in Side
}

const ownWeights = new WeakMap<Shown, OwnWeights>();

/** Throws if `shown` was not made by a Shower. */
export function weightsBehind(shown: Shown): OwnWeights {
	const weights = ownWeights.get(shown);
	if (!weights) throw new Error('what is shown was not made by a Shower');
	return weights;
}

/** Adds what children have to their parents. */
export function addUp(parent: Int32Array, values: Float64Array): void {
	for (let s = values.length; s-- > 0; ) {
		const up = parent[s];
		if (up !== NONE && values[s] !== 0) values[up] += values[s];
	}
}

/** The number of equal samples that would tell as much as these. */
function sampleCount(capture: Capture, w: Weights, stackOf: Int32Array, sum: number): number {
	if (countsAreSamples(capture) || w.squares === null) return sum;
	let squares = 0;
	for (let s = 0; s < stackOf.length; s++) if (stackOf[s] !== NONE) squares += w.squares[s];
	return squares > 0 ? (sum * sum) / squares : 0;
}

/** `scale`: what one of these weights is in those of the capture. */
function makeSide(capture: Capture, w: Weights, shaped: Shaped, scale: number): Side {
	const { stackOf, tables } = shaped;
	const shares = Array.from({ length: SHARES }, () => new Float64Array(tables.stackCount));
	const [a, b, c, d] = shares;
	const self = new Float64Array(tables.stackCount);
	const { cells } = w;
	let sum = 0;
	for (let own = 0, at = 0; own < stackOf.length; own++, at += SHARES) {
		const s = stackOf[own];
		if (s === NONE) continue;
		const all = cells[at] + cells[at + 1] + cells[at + 2] + cells[at + 3];
		if (all === 0) continue;
		a[s] += cells[at] * scale;
		b[s] += cells[at + 1] * scale;
		c[s] += cells[at + 2] * scale;
		d[s] += cells[at + 3] * scale;
		self[s] += all * scale;
		sum += all;
	}
	const total = self.slice();
	addUp(tables.stackParent, total);
	const samples = sampleCount(capture, w, stackOf, sum);
	return { self, total, sum: sum * scale, samples, shares };
}

function sumOf(values: Float64Array): number {
	let sum = 0;
	for (let i = 0; i < values.length; i++) sum += values[i];
	return sum;
}

const rangeKey = (range: Range | null): string => (range ? `${range.from}-${range.to}` : 'all');

/** All but the range. */
const groupKey = (side: string, s: Selecting): string =>
	`${side} ${s.mode} ${s.spans} ${[...s.hidden].sort((a, b) => a - b).join()}`;

/** Keeps what a change of the state leaves valid: tables, stacks per transform, weights per range. */
export class Shower {
	private readonly sampled: Uint8Array;
	private readonly shaped = makeRecent<Shaped>();
	private readonly weights = makeRecent<Weights>();
	private readonly latest = new Map<string, Weights>(); // by group: the last range's
	private readonly shown = makeRecent<Shown>();

	/**
	 * The baseline has the tables of the capture (data/join.ts). `grows`: tables have all stacks, so
	 * that rows, and with them keys of nodes, stay when a later capture has more of them.
	 */
	constructor(
		readonly capture: Capture,
		readonly baseline: Capture | null,
		grows = false,
	) {
		this.sampled = grows
			? new Uint8Array(capture.stacks.count).fill(1)
			: sampledStacks(baseline ? [capture, baseline] : [capture]);
	}

	/**
	 * The same object as long as the selection is the same. Of a baseline, all of its time is
	 * compared, in the same mode; of its threads those are hidden whose namesakes all are. Its
	 * weights are in periods of the capture.
	 */
	show(state: State): Shown {
		const shapeKey = JSON.stringify([state.granularity, state.transforms]);
		const now = this.selecting(state);
		const before = this.selectingBefore(state);
		const key = [shapeKey, groupKey('', now), rangeKey(now.range)].join(' ');
		const all = before ? `${key} ${rangeKey(before.range)} ${before.spans}` : key;
		return recall(this.shown, all) ?? remember(this.shown, all, this.make(state, shapeKey));
	}

	private selecting(state: State): Selecting {
		return {
			range: state.ranges.at(-1) ?? null,
			spans: state.spans,
			mode: state.mode,
			hidden: state.tracks.hidden,
		};
	}

	private selectingBefore(state: State): Selecting | null {
		const { mode, tracks, against, compare } = state;
		if (this.baseline) {
			// rows are of the capture only
			const spans = state.spans[0] === '#' ? '' : state.spans;
			return { range: null, spans, mode, hidden: this.hiddenBefore(tracks.hidden) };
		}
		if (!compare && !against) return null;
		const range = compare ?? state.ranges.at(-1) ?? null;
		return { range, spans: against || state.spans, mode, hidden: tracks.hidden };
	}

	private hiddenBefore(hidden: readonly number[]): number[] {
		if (!this.baseline || hidden.length === 0) return [];
		const { threads } = this.capture;
		const shown = new Set(threads.filter((t) => !hidden.includes(t.row)).map((t) => t.name));
		const names = new Set(hidden.map((row) => threads[row]?.name));
		return this.baseline.threads
			.filter((t) => names.has(t.name) && !shown.has(t.name))
			.map((t) => t.row);
	}

	private weigh(side: 'now' | 'before', s: Selecting): Weights {
		const capture = side === 'before' && this.baseline ? this.baseline : this.capture;
		const group = groupKey(side, s);
		const key = `${group} ${rangeKey(s.range)}`;
		const known = recall(this.weights, key);
		const weights =
			known ?? remember(this.weights, key, weigh(capture, s, this.latest.get(group) ?? null));
		if (this.latest.size > KEPT) this.latest.clear();
		this.latest.set(group, weights);
		return weights;
	}

	private make(state: State, shapeKey: string): Shown {
		const shaped =
			recall(this.shaped, shapeKey) ??
			remember(
				this.shaped,
				shapeKey,
				shapeTables(this.capture, this.sampled, state.granularity, state.transforms),
			);
		const selectingBefore = this.selectingBefore(state);
		const weightsBefore = selectingBefore ? this.weigh('before', selectingBefore) : null;
		const weights = this.weigh('now', this.selecting(state));
		const beforeScale = this.scaleBefore();
		const now = makeSide(this.capture, weights, shaped, 1);
		const shown: Shown = {
			tables: shaped.tables,
			stackOf: shaped.stackOf,
			now,
			before:
				weightsBefore &&
				makeSide(this.baseline ?? this.capture, weightsBefore, shaped, beforeScale),
			leftOut: sumOf(weights.cells) - now.sum + weights.hiddenSum,
			periodNs: this.capture.periodNs,
		};
		ownWeights.set(shown, {
			now: weights.cells,
			before: weightsBefore?.cells ?? null,
			beforeScale,
		});
		return shown;
	}

	private scaleBefore(): number {
		const [now, before] = [this.capture.periodNs, this.baseline?.periodNs ?? 0];
		return now > 0 && before > 0 ? before / now : 1;
	}
}
