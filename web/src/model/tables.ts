// SPDX-License-Identifier: MIT
/** The tables of what is shown: stacks under granularity and transforms, whatever the samples. */
import type { Granularity, Transform } from '../app/state.js';
import { type Capture, FunctionKind, NONE } from '../data/capture.js';
import { depthsOf } from '../data/decode.js';
import { makePairs, pairRow } from '../data/pairs.js';
import {
	frameFor,
	funcOfFrame,
	kindOf,
	lineOfFrame,
	makeNames,
	markFunction,
	type Named,
	type Names,
	nameOf,
} from './names.js';
import { coarsened, EMPTY, GONE, type Shape, transformed } from './shape.js';
import type { ShownTables } from './shown.js';

/** Nodes that a tree may have before light ones are pooled: a node takes some 60 bytes. */
export const TREE_NODES = 1_500_000;
const MORE_CALLERS = '(more callers)';

export interface Shaped {
	readonly tables: ShownTables;
	readonly stackOf: Int32Array; // by stack of the capture; NONE: left out
}

/** 1 for each stack in which a sample of one of the captures ends. */
export function sampledStacks(captures: readonly Capture[]): Uint8Array {
	const sampled = new Uint8Array(captures[0].stacks.count);
	for (const { samples } of captures) {
		const { count, stack } = samples;
		for (let row = 0; row < count; row++) sampled[stack[row]] = 1;
	}
	return sampled;
}

function wholeCapture(capture: Capture): Shape {
	const { parent, frame, count } = capture.stacks;
	const of = new Int32Array(count);
	for (let s = 0; s < count; s++) of[s] = s;
	return { names: makeNames(capture), count, parent, frame, of };
}

/** Samples of whose stacks nothing is left, but for a thread, end in "(hidden)". */
function markHidden(from: Shape, sampled: Uint8Array): Shape {
	const { names } = from;
	const isBare = (s: number): boolean =>
		s === EMPTY || kindOf(names, funcOfFrame(names, from.frame[s])) === FunctionKind.Thread;
	if (!from.of.some((s, own) => s !== GONE && sampled[own] === 1 && isBare(s))) return from;
	const pairs = makePairs(from.count);
	for (let s = 0; s < from.count; s++) pairRow(pairs, from.parent[s], from.frame[s]);
	const hidden = frameFor(names, markFunction(names, '(hidden)'), 0);
	const of = from.of.map((s, own) =>
		s !== GONE && sampled[own] === 1 && isBare(s) ? pairRow(pairs, s, hidden) : s,
	);
	const { count, first, second } = pairs;
	return { names, count, parent: first.subarray(0, count), frame: second.subarray(0, count), of };
}

/** By stack: its row among those that samples have, or lead to those; NONE: nobody needs it. */
function numberStacks(from: Shape, sampled: Uint8Array): { row: Int32Array; count: number } {
	const row = new Int32Array(from.count).fill(NONE);
	for (let own = 0; own < from.of.length; own++) {
		if (sampled[own] === 1 && from.of[own] >= 0) row[from.of[own]] = 0;
	}
	for (let s = from.count; s-- > 0; ) {
		if (row[s] === 0 && from.parent[s] >= 0) row[from.parent[s]] = 0;
	}
	let count = 0;
	for (let s = 0; s < from.count; s++) if (row[s] === 0) row[s] = count++;
	return { row, count };
}

/** Rows in the order in which they are first asked for. */
function makeRows(size: number): { row: (id: number) => number; ids: number[] } {
	const rows = new Int32Array(size).fill(NONE);
	const ids: number[] = [];
	const row = (id: number): number => {
		if (rows[id] === NONE) rows[id] = ids.push(id) - 1;
		return rows[id];
	};
	return { row, ids };
}

type FuncColumns = Pick<
	ShownTables,
	| 'funcCount'
	| 'funcName'
	| 'funcFile'
	| 'funcLine'
	| 'funcModule'
	| 'funcKind'
	| 'funcOrigin'
	| 'funcOwn'
>;

function funcColumns(funcs: readonly Named[]): FuncColumns {
	return {
		funcCount: funcs.length,
		funcName: funcs.map((f) => f.name),
		funcFile: funcs.map((f) => f.file),
		funcLine: Uint32Array.from(funcs, (f) => f.line),
		funcModule: funcs.map((f) => f.module),
		funcKind: Uint8Array.from(funcs, (f) => f.kind),
		funcOrigin: Uint8Array.from(funcs, (f) => f.origin),
		funcOwn: Int32Array.from(funcs, (f) => f.own),
	};
}

/** The frame of the mark in place of callers that are too many; NONE: that cannot be. */
export function moreFrame(tables: ShownTables): number {
	const func = tables.funcCount - 1;
	const pools = tables.funcName[func] === MORE_CALLERS && tables.funcOwn[func] === NONE;
	return pools ? tables.frameCount - 1 : NONE;
}

/** Whether the inverted tree might become too large. */
function hasMany(depth: Uint16Array): boolean {
	let frames = 0;
	for (let s = 0; s < depth.length; s++) frames += depth[s];
	return frames > TREE_NODES;
}

/** Functions and frames that are used get rows of their own. */
function finish(from: Shape, sampled: Uint8Array): Shaped {
	const names: Names = from.names;
	const { row, count } = numberStacks(from, sampled);
	const { functions, frames } = names.capture;
	const frameRows = makeRows(frames.count + names.frames.count);
	const funcRows = makeRows(functions.count + names.made.length + 1); // one for callers
	const stackParent = new Int32Array(count);
	const stackFrame = new Uint32Array(count);
	for (let s = 0; s < from.count; s++) {
		const own = row[s];
		if (own === NONE) continue;
		stackParent[own] = from.parent[s] === EMPTY ? NONE : row[from.parent[s]];
		stackFrame[own] = frameRows.row(from.frame[s]);
	}
	const stackDepth = depthsOf(stackParent);
	if (hasMany(stackDepth))
		frameRows.ids.push(frameFor(names, markFunction(names, MORE_CALLERS), 0));
	const frameFunc = Uint32Array.from(frameRows.ids, (id) => funcRows.row(funcOfFrame(names, id)));
	return {
		tables: {
			...funcColumns(funcRows.ids.map((id) => nameOf(names, id))),
			frameCount: frameRows.ids.length,
			frameFunc,
			frameLine: Uint32Array.from(frameRows.ids, (id) => lineOfFrame(names, id)),
			stackCount: count,
			stackParent,
			stackFrame,
			stackDepth,
		},
		stackOf: from.of.map((s) => (s < 0 ? NONE : row[s])),
	};
}

/** Tables and stacks for a capture, whose stacks `sampled` are shown. */
export function shapeTables(
	capture: Capture,
	sampled: Uint8Array,
	granularity: Granularity,
	transforms: readonly Transform[],
): Shaped {
	let shape = wholeCapture(capture);
	for (const t of transforms) shape = transformed(shape, t);
	return finish(markHidden(coarsened(shape, granularity), sampled), sampled);
}
