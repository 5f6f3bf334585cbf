// SPDX-License-Identifier: MIT
/**
 * Which boxes of a call tree are drawn, and where: those within a window of its weights that are
 * wide enough to be seen. Siblings that are not are pooled into one box that says how many it is.
 */
import { NONE } from '../data/capture.js';
import type { Tree } from '../model/tree.js';

export const LEAST_PX = 2; // narrower siblings are pooled
const POOL_PX = 140; // a pool does not grow beyond: what it says fits

/** A part of the width of the tree, in weights. */
export interface Span {
	readonly from: number;
	readonly to: number;
}

/** A tree with the widths that are drawn. */
export interface Shape {
	readonly tree: Tree;
	readonly value: Float64Array; // by node: its width, a weight
	readonly start: Float64Array; // by node: the widths left of it
	readonly children: Int32Array; // by node: how many with a width
	readonly falling: Uint8Array; // by node: 1 if no child is wider than the one before it
}

/**
 * Boxes as they were laid out, in pixels from the left. A pool stands for `more` siblings, from `node`
 * to `last`, or with NONE to the last of all; a box of one node has 0 and NONE.
 */
export interface Boxes {
	count: number;
	node: Int32Array;
	depth: Uint16Array;
	more: Int32Array;
	last: Int32Array;
	weight: Float64Array; // of the box: of all that it stands for
	x: Float32Array;
	width: Float32Array;
}

function startsOf(tree: Tree, value: Float64Array): Float64Array {
	const start = new Float64Array(tree.count);
	const open = [0];
	for (let node = open.pop(); node !== undefined; node = open.pop()) {
		let x = start[node];
		for (let c = tree.firstChild[node]; c !== NONE; c = tree.nextSibling[c]) {
			start[c] = x;
			x += value[c];
			if (tree.firstChild[c] !== NONE) open.push(c);
		}
	}
	return start;
}

/** Widths by what it is now, or by what it was before (if the tree has that). */
export function makeShape(tree: Tree, widths: 'now' | 'before'): Shape {
	const before = widths === 'before' ? tree.before : null;
	const value = before ?? tree.total;
	const children = new Int32Array(tree.count);
	const falling = new Uint8Array(tree.count).fill(1);
	for (let n = 1; n < tree.count; n++) {
		const parent = tree.parent[n];
		const next = tree.nextSibling[n];
		if (value[n] > 0) children[parent]++;
		if (next !== NONE && value[next] > value[n]) falling[parent] = 0;
	}
	return { tree, value, start: before ? startsOf(tree, before) : tree.start, children, falling };
}

export function emptyBoxes(): Boxes {
	return {
		count: 0,
		node: new Int32Array(1024),
		depth: new Uint16Array(1024),
		more: new Int32Array(1024),
		last: new Int32Array(1024),
		weight: new Float64Array(1024),
		x: new Float32Array(1024),
		width: new Float32Array(1024),
	};
}

function grow(boxes: Boxes): void {
	const larger = <T extends { set(from: T): void }>(from: T, to: T): T => {
		to.set(from);
		return to;
	};
	const size = boxes.node.length * 2;
	boxes.node = larger(boxes.node, new Int32Array(size));
	boxes.depth = larger(boxes.depth, new Uint16Array(size));
	boxes.more = larger(boxes.more, new Int32Array(size));
	boxes.last = larger(boxes.last, new Int32Array(size));
	boxes.weight = larger(boxes.weight, new Float64Array(size));
	boxes.x = larger(boxes.x, new Float32Array(size));
	boxes.width = larger(boxes.width, new Float32Array(size));
}

/** What one layout needs at every node. */
interface Frame {
	readonly shape: Shape;
	readonly window: Span;
	readonly scale: number;
	readonly width: number;
	readonly narrow: number; // weights below it are pooled
	readonly boxes: Boxes;
}

function add(
	f: Frame,
	node: number,
	depth: number,
	weight: number,
	more: number,
	last: number,
): void {
	const { boxes, window, scale, shape } = f;
	if (boxes.count === boxes.node.length) grow(boxes);
	const i = boxes.count++;
	const left = Math.max(0, (shape.start[node] - window.from) * scale);
	const right = Math.min(f.width, (shape.start[node] + weight - window.from) * scale);
	boxes.node[i] = node;
	boxes.depth[i] = depth;
	boxes.more[i] = more;
	boxes.last[i] = last;
	boxes.weight[i] = weight;
	boxes.x[i] = left;
	// a pool is seen, however little it is
	boxes.width[i] = more ? Math.max(1, right - left) : right - left;
}

/** Narrow siblings in a row, while they are gathered. */
interface Pool {
	count: number;
	first: number;
	last: number;
	weight: number;
}

function flush(f: Frame, pool: Pool, depth: number): void {
	if (pool.count) add(f, pool.first, depth, pool.weight, pool.count, pool.last);
	pool.count = 0;
	pool.weight = 0;
}

/**
 * Adds the boxes of a node's children; pushes those onto `open` whose children are to be added. A
 * wide pool is parted, so that each part grows when it is zoomed into.
 */
function addChildren(f: Frame, parent: number, depth: number, open: number[]): void {
	const { tree, value, start, children, falling } = f.shape;
	const { from, to } = f.window;
	const wide = POOL_PX / f.scale;
	const pool: Pool = { count: 0, first: NONE, last: NONE, weight: 0 };
	let index = 0;
	for (let c = tree.firstChild[parent]; c !== NONE; c = tree.nextSibling[c]) {
		const w = value[c];
		if (!(w > 0)) continue;
		index++;
		if (start[c] >= to) break;
		if (start[c] + w <= from) continue;
		if (w >= f.narrow) {
			flush(f, pool, depth);
			add(f, c, depth, w, 0, NONE);
			open.push(c);
			continue;
		}
		if (!pool.count) {
			const rest = restOf(f.shape, parent, c);
			if (falling[parent] && rest <= wide) {
				add(f, c, depth, rest, children[parent] - index + 1, NONE);
				return;
			}
			pool.first = c;
		}
		pool.count++;
		pool.last = c;
		pool.weight += w;
		if (pool.weight > wide) flush(f, pool, depth);
	}
	flush(f, pool, depth);
}

/** Weight of a child and of all siblings after it. */
export function restOf(shape: Shape, parent: number, child: number): number {
	const { tree, value, start } = shape;
	if (tree.before === null || value === tree.total) {
		return start[parent] + value[parent] - tree.self[parent] - start[child];
	}
	return start[parent] + value[parent] - (tree.beforeSelf?.[parent] ?? 0) - start[child];
}

/**
 * Lays out what lies in `window` on `width` pixels, from node 0 down to `maxDepth`; siblings
 * narrower than `least` pixels are pooled. Fills `boxes`, parents before children.
 */
export function layOut(
	shape: Shape,
	window: Span,
	width: number,
	least: number,
	boxes: Boxes,
	maxDepth = 0xffff,
): void {
	const scale = width / (window.to - window.from);
	boxes.count = 0;
	if (!(scale > 0) || !Number.isFinite(scale)) return;
	const f: Frame = { shape, window, scale, width, narrow: least / scale, boxes };
	add(f, 0, 0, shape.value[0], 0, NONE);
	const open = [0];
	for (let node = open.pop(); node !== undefined; node = open.pop()) {
		const depth = shape.tree.depth[node] + 1;
		if (depth <= maxDepth) addChildren(f, node, depth, open);
	}
}

/** Index of the box at x in the row of a depth; -1: none. Pools, drawn over others, come first. */
export function boxAt(boxes: Boxes, x: number, depth: number): number {
	let found = -1;
	for (let i = 0; i < boxes.count; i++) {
		if (boxes.depth[i] !== depth || x < boxes.x[i] || x >= boxes.x[i] + boxes.width[i]) continue;
		if (boxes.more[i]) return i;
		found = i;
	}
	return found;
}

/**
 * A moment of the way from one window to another, `t` 0 .. 1. The width changes by equal factors in
 * equal times, so that zooming in a thousandfold looks as even as twofold.
 */
export function between(a: Span, b: Span, t: number): Span {
	const [wa, wb] = [a.to - a.from, b.to - b.from];
	if (Math.abs(wa - wb) <= 1e-9 * wa || !(wa > 0) || !(wb > 0)) {
		return { from: a.from + (b.from - a.from) * t, to: a.to + (b.to - a.to) * t };
	}
	const width = wa * (wb / wa) ** t;
	const from = a.from + ((b.from - a.from) * (wa - width)) / (wa - wb);
	return { from, to: from + width };
}
