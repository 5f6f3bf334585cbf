// SPDX-License-Identifier: MIT
/**
 * Steps that change stacks: transforms and granularity. Each makes a table of stacks from the one
 * before, in which equal stacks are one. The rules are those of the commands (store/select_frames.c).
 */
import type { Granularity, Transform } from '../app/state.js';
import { FunctionKind, NONE } from '../data/capture.js';
import { makePairs, type Pairs, pairRow } from '../data/pairs.js';
import {
	fileFunction,
	frameFor,
	funcOfFrame,
	kindOf,
	lineOfFrame,
	markFunction,
	moduleFunction,
	type Names,
	placeOfFunc,
} from './names.js';

/** Of a stack: nothing is left of it, but it stays. */
export const EMPTY = -1;
/** Of a stack: it is left out. */
export const GONE = -2;

/** Stacks as they are between two steps. Frames are rows of `names`. */
export interface Shape {
	readonly names: Names;
	readonly count: number;
	readonly parent: Int32Array; // EMPTY: a root
	readonly frame: Int32Array | Uint32Array;
	readonly of: Int32Array; // by stack of the capture: row, EMPTY or GONE
}

/** Makes a table: push() the stacks, parents first. */
interface Maker {
	readonly names: Names;
	readonly pairs: Pairs;
}

const push = (m: Maker, parent: number, frame: number): number => pairRow(m.pairs, parent, frame);

/** As push(), but in place of the top if that is the same function. Threads never are. */
function pushMerged(m: Maker, parent: number, frame: number, func: number): number {
	let under = parent;
	if (parent !== EMPTY && funcOfFrame(m.names, m.pairs.second[parent]) === func) {
		if (kindOf(m.names, func) !== FunctionKind.Thread) under = m.pairs.first[parent];
	}
	return push(m, under, frame);
}

/** What a step makes of a stack whose parent became `up` (never GONE): its row, or EMPTY. */
type Rule = (m: Maker, up: number, frame: number, stack: number) => number;

/** `keeps`, by stack: 0 leaves it out. */
function restack(from: Shape, rule: Rule, keeps: Uint8Array | null = null): Shape {
	const made = new Int32Array(from.count);
	const m: Maker = { names: from.names, pairs: makePairs(from.count) };
	for (let s = 0; s < from.count; s++) {
		const parent = from.parent[s];
		made[s] = rule(m, parent === EMPTY ? EMPTY : made[parent], from.frame[s], s);
	}
	const { count, first, second } = m.pairs;
	return {
		names: from.names,
		count,
		parent: first.subarray(0, count),
		frame: second.subarray(0, count),
		// nothing is left of a stack that is EMPTY: what is asked for is not in it
		of: from.of.map((s) =>
			s === GONE ? GONE : s === EMPTY ? (keeps ? GONE : EMPTY) : keeps?.[s] === 0 ? GONE : made[s],
		),
	};
}

/** By stack: 1 if it has a frame of the function. */
function having(from: Shape, func: number): Uint8Array {
	const has = new Uint8Array(from.count);
	for (let s = 0; s < from.count; s++) {
		const parent = from.parent[s];
		const above = parent !== EMPTY && has[parent] === 1;
		has[s] = above || funcOfFrame(from.names, from.frame[s]) === func ? 1 : 0;
	}
	return has;
}

function filtered(from: Shape, keeps: (stack: number) => boolean): Shape {
	return { ...from, of: from.of.map((s) => (s === GONE || !keeps(s) ? GONE : s)) };
}

/** Threads and processes as roots stay below what is focused on, as the base on which it stands. */
function focus(from: Shape, func: number): Shape {
	const has = having(from, func);
	const rule: Rule = (m, up, frame, s) => {
		const base = kindOf(m.names, funcOfFrame(m.names, frame)) === FunctionKind.Thread;
		return has[s] === 1 || base ? push(m, up, frame) : up;
	};
	return restack(from, rule, has);
}

function merge(from: Shape, func: number): Shape {
	return restack(from, (m, up, frame) =>
		funcOfFrame(m.names, frame) === func ? up : push(m, up, frame),
	);
}

function collapseRecursion(from: Shape, func: number): Shape {
	return restack(from, (m, up, frame) => {
		const own = funcOfFrame(m.names, frame);
		const merges = func === NONE || own === func;
		return merges ? pushMerged(m, up, frame, own) : push(m, up, frame);
	});
}

function collapseModule(from: Shape, module: string): Shape {
	const { names } = from;
	return restack(from, (m, up, frame) => {
		const place = placeOfFunc(names, funcOfFrame(names, frame));
		if (place?.module !== module) return push(m, up, frame);
		const func = moduleFunction(names, place);
		return pushMerged(m, up, frameFor(names, func, 0), func);
	});
}

/** By stack: how many of its frames, from the root, are those of the path. */
function followed(from: Shape, funcs: readonly number[]): Int32Array {
	const depth = new Int32Array(from.count);
	const along = new Int32Array(from.count);
	for (let s = 0; s < from.count; s++) {
		const parent = from.parent[s];
		depth[s] = parent === EMPTY ? 1 : depth[parent] + 1;
		const above = parent === EMPTY ? 0 : along[parent];
		const next = above === depth[s] - 1 && above < funcs.length;
		along[s] = next && funcOfFrame(from.names, from.frame[s]) === funcs[above] ? above + 1 : above;
	}
	return along;
}

function keepPath(from: Shape, funcs: readonly number[]): Shape {
	const along = followed(from, funcs);
	return filtered(from, (s) => (s === EMPTY ? funcs.length === 0 : along[s] === funcs.length));
}

const NO_FUNCTION = -2;

/** As links may say anything: a row of the capture, or NO_FUNCTION, which no frame has. */
function checked(t: Transform, count: number): Transform {
	const known = (func: number): number => (func >= 0 && func < count ? func : NO_FUNCTION);
	if (t.kind === 'library') return t;
	if (t.kind === 'path') return { ...t, funcs: t.funcs.map(known) };
	if (t.kind === 'recursion' && t.func === NONE) return t;
	return { ...t, func: known(t.func) };
}

/** One step more. */
export function transformed(from: Shape, transform: Transform): Shape {
	const t = checked(transform, from.names.capture.functions.count);
	switch (t.kind) {
		case 'focus':
			return focus(from, t.func);
		case 'only': {
			const has = having(from, t.func);
			return filtered(from, (s) => s !== EMPTY && has[s] === 1);
		}
		case 'drop': {
			const has = having(from, t.func);
			return filtered(from, (s) => s === EMPTY || has[s] === 0);
		}
		case 'merge':
			return merge(from, t.func);
		case 'recursion':
			return collapseRecursion(from, t.func);
		case 'library':
			return collapseModule(from, t.module);
		case 'path':
			return keepPath(from, t.funcs);
	}
}

/** The frame that stands for another one. */
function shownFrame(names: Names, granularity: Granularity, frame: number): number {
	const func = funcOfFrame(names, frame);
	if (granularity === 'lines') return frameFor(names, func, lineOfFrame(names, frame));
	const python = kindOf(names, func) === FunctionKind.Python;
	if (granularity === 'functions' || !python) return frameFor(names, func, 0);
	const { functions, strings } = names.capture;
	const file = functions.file[func];
	const place = placeOfFunc(names, func);
	if (strings[file] === '') return frameFor(names, markFunction(names, '(no file)'), 0);
	if (granularity === 'files' || !place) return frameFor(names, fileFunction(names, file), 0);
	return frameFor(names, moduleFunction(names, place), 0);
}

/** The last step: frames as coarse as asked for. */
export function coarsened(from: Shape, granularity: Granularity): Shape {
	const { names } = from;
	const merges = granularity === 'files' || granularity === 'modules';
	const known = new Int32Array(names.capture.frames.count + names.frames.count).fill(NONE);
	return restack(from, (m, up, frame) => {
		if (known[frame] === NONE) known[frame] = shownFrame(names, granularity, frame);
		const shown = known[frame];
		return merges ? pushMerged(m, up, shown, funcOfFrame(names, shown)) : push(m, up, shown);
	});
}
