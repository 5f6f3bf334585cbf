// SPDX-License-Identifier: MIT
/**
 * The model again, slow and plainly right: samples one by one, stacks as lists of frames. What
 * model/*.ts is compared with.
 */
import type { State, Transform } from '../src/app/state.js';
import { type Capture, Flag, FunctionKind, NONE, SampleState } from '../src/data/capture.js';

/** A frame: who it is, and what it is shown as. */
export interface Frame {
	readonly func: number; // row in the capture; NaN: made
	readonly kind: FunctionKind;
	readonly name: string; // tells it apart: name, file, kind
	readonly module: string; // "kind module" of Python code; "" else
	readonly line: number;
}

export interface Sample {
	readonly frames: readonly Frame[];
	readonly share: number;
	readonly weight: number;
}

export interface Slow {
	readonly samples: readonly Sample[];
	readonly leftOut: number;
}

function framesOf(c: Capture, stack: number): Frame[] {
	const frames: Frame[] = [];
	for (let s = stack; s !== NONE; s = c.stacks.parent[s]) {
		const func = c.frames.func[c.stacks.frame[s]];
		const file = c.functions.file[func];
		const kind: FunctionKind = c.functions.kind[func];
		const place = c.places.get(file);
		frames.push({
			func,
			kind,
			name: `f${func}`,
			module: kind === FunctionKind.Python && place ? `${place.kind} ${place.module}` : '',
			line: c.frames.line[c.stacks.frame[s]],
		});
	}
	return frames.reverse();
}

const made = (name: string, kind: FunctionKind): Frame => ({
	func: Number.NaN, // is none that anybody could name
	kind,
	name,
	module: '',
	line: 0,
});

/** Of frames that follow each other and are one, the innermost stays. */
function squeeze(frames: readonly Frame[], isOne: (frame: Frame) => boolean): Frame[] {
	return frames.filter((frame, i) => {
		const next = frames[i + 1];
		const same = next && next.name === frame.name && frame.kind !== FunctionKind.Thread;
		return !(same && isOne(frame));
	});
}

/** null: the sample is left out. */
function apply(frames: readonly Frame[], t: Transform): Frame[] | null {
	switch (t.kind) {
		case 'focus': {
			const at = frames.findIndex((f) => f.func === t.func);
			if (at < 0) return null;
			const base = frames.slice(0, at).filter((f) => f.kind === FunctionKind.Thread);
			return [...base, ...frames.slice(at)];
		}
		case 'only':
			return frames.some((f) => f.func === t.func) ? [...frames] : null;
		case 'drop':
			return frames.some((f) => f.func === t.func) ? null : [...frames];
		case 'merge':
			return frames.filter((f) => f.func !== t.func);
		case 'recursion':
			return squeeze(frames, (f) => t.func === NONE || f.func === t.func);
		case 'library': {
			const inside = (f: Frame): boolean => f.module.slice(f.module.indexOf(' ') + 1) === t.module;
			const named = frames.map((f) =>
				f.module !== '' && inside(f) ? made(`m${f.module}`, FunctionKind.Place) : f,
			);
			return squeeze(named, (f) => f.name.startsWith('m'));
		}
		case 'path':
			return t.funcs.every((func, i) => frames[i]?.func === func) ? [...frames] : null;
	}
}

function coarsen(c: Capture, frames: readonly Frame[], state: State): Frame[] {
	const { granularity } = state;
	if (granularity === 'lines') return [...frames];
	if (granularity === 'functions') return frames.map((f) => ({ ...f, line: 0 }));
	const places = frames.map((f) => {
		if (f.kind !== FunctionKind.Python) return { ...f, line: 0 };
		const file = c.functions.file[f.func];
		if (c.strings[file] === '') return made('(no file)', FunctionKind.Mark);
		const name = granularity === 'files' ? `p${file}` : `m${f.module}`;
		return made(name, FunctionKind.Place);
	});
	return squeeze(places, () => true);
}

function shown(c: Capture, frames: readonly Frame[], state: State): Frame[] | null {
	let now: Frame[] | null = [...frames];
	for (const t of state.transforms) now = now && apply(now, t);
	if (!now) return null;
	const coarse = coarsen(c, now, state);
	const last = coarse.at(-1);
	if (!last || last.kind === FunctionKind.Thread) {
		coarse.push(made('(hidden)', FunctionKind.Mark));
	}
	return coarse;
}

function inMode(state: State, value: number, flags: number): boolean {
	const cpu = value === SampleState.OnCpu || value === SampleState.Runnable;
	if (state.mode === 'cpu') return cpu;
	if (state.mode === 'idle') return !cpu;
	return state.mode === 'wall' || (flags & Flag.HoldsGil) !== 0;
}

/** What is selected of a capture in a range (null: all of it). */
export function slowly(c: Capture, state: State, range: { from: number; to: number } | null): Slow {
	const samples: Sample[] = [];
	let leftOut = 0;
	for (let row = 0; row < c.samples.count; row++) {
		const { timeNs, stack, flags, thread } = c.samples;
		const value = c.samples.state[row];
		const weight = c.samples.weight?.[row] ?? 1;
		if (range && !(timeNs[row] >= range.from && timeNs[row] < range.to)) continue;
		if (!inMode(state, value, flags[row])) continue;
		const hidden = state.tracks.hidden.includes(thread[row]);
		const frames = hidden ? null : shown(c, framesOf(c, stack[row]), state);
		if (!frames) {
			leftOut += weight;
			continue;
		}
		const share = value >= 1 && value <= 3 ? value - 1 : 3;
		samples.push({ frames, share, weight });
	}
	return { samples, leftOut };
}

/** Weights by path, root first, with how much of it ends there. */
export type Sums = Map<string, { self: number; total: number; shares: number[] }>;

export const keyOf = (frame: Frame): string => `${frame.name}:${frame.line}`;

function bump(sums: Sums, key: string): { self: number; total: number; shares: number[] } {
	const known = sums.get(key);
	if (known) return known;
	const sum = { self: 0, total: 0, shares: [0, 0, 0, 0] };
	sums.set(key, sum);
	return sum;
}

/** By path of each list of keys; shares are of total. */
export function sumPaths(paths: readonly { keys: readonly string[]; sample: Sample }[]): Sums {
	const sums: Sums = new Map();
	for (const { keys, sample } of paths) {
		for (let depth = 0; depth <= keys.length; depth++) {
			const sum = bump(sums, keys.slice(0, depth).join(';'));
			sum.total += sample.weight;
			sum.shares[sample.share] += sample.weight;
			if (depth === keys.length) sum.self += sample.weight;
		}
	}
	return sums;
}

/** By function: its own time, and with what it called, a sample once. */
export function sumFunctions(samples: readonly Sample[]): Map<string, [number, number]> {
	const sums = new Map<string, [number, number]>();
	for (const { frames, weight } of samples) {
		const names = frames.map((f) => f.name);
		for (const name of new Set(names)) {
			const sum = sums.get(name) ?? [0, 0];
			sum[1] += weight;
			if (name === names.at(-1)) sum[0] += weight;
			sums.set(name, sum);
		}
	}
	return sums;
}
