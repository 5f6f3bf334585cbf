// SPDX-License-Identifier: MIT
/** Nodes of a tree while it grows, level by level: parents come before their children. */
import { NONE } from '../data/capture.js';
import type { Shown } from './shown.js';
import type { Tree } from './tree.js';
import { SHARES } from './weights.js';

/** Columns are longer than count. */
export interface Nodes {
	count: number;
	parent: Int32Array;
	frame: Int32Array;
	depth: Uint16Array;
	self: Float64Array;
	total: Float64Array;
	before: Float64Array | null;
	beforeSelf: Float64Array | null;
	readonly shares: Float32Array[]; // first of what ends there, in the end of all below too
}

export function makeNodes(shown: Shown, expected: number): Nodes {
	const size = Math.max(64, expected + 1);
	const compared = shown.before !== null;
	const nodes: Nodes = {
		count: 0,
		parent: new Int32Array(size),
		frame: new Int32Array(size),
		depth: new Uint16Array(size),
		self: new Float64Array(size),
		total: new Float64Array(size),
		before: compared ? new Float64Array(size) : null,
		beforeSelf: compared ? new Float64Array(size) : null,
		shares: Array.from({ length: SHARES }, () => new Float32Array(size)),
	};
	addNode(nodes, NONE, NONE);
	return nodes;
}

type Column = Int32Array | Uint16Array | Float32Array | Float64Array;

function longer<T extends Column>(column: T): T {
	const more = new (column.constructor as new (n: number) => T)(column.length * 2);
	more.set(column);
	return more;
}

function grow(n: Nodes): void {
	n.parent = longer(n.parent);
	n.frame = longer(n.frame);
	n.depth = longer(n.depth);
	n.self = longer(n.self);
	n.total = longer(n.total);
	n.before = n.before && longer(n.before);
	n.beforeSelf = n.beforeSelf && longer(n.beforeSelf);
	for (let i = 0; i < SHARES; i++) n.shares[i] = longer(n.shares[i]);
}

export function addNode(n: Nodes, parent: number, frame: number): number {
	if (n.count === n.parent.length) grow(n);
	const node = n.count++;
	n.parent[node] = parent;
	n.frame[node] = frame;
	n.depth[node] = parent === NONE ? 0 : Math.min(65535, n.depth[parent] + 1);
	return node;
}

/** Sums of what is below; node 0 gets what its children have. */
function addUpNodes(n: Nodes): void {
	const { parent, total, before, shares } = n;
	const [a, b, c, d] = shares;
	for (let node = n.count; --node > 0; ) {
		const up = parent[node];
		a[up] += a[node];
		b[up] += b[node];
		c[up] += c[node];
		d[up] += d[node];
		if (up !== 0) continue;
		total[0] += total[node];
		if (before) before[0] += before[node];
	}
}

/** Siblings lie one after the other, in the order in which they are drawn. */
function link(n: Nodes): Pick<Tree, 'firstChild' | 'nextSibling' | 'start'> {
	const firstChild = new Int32Array(n.count).fill(NONE);
	const nextSibling = new Int32Array(n.count).fill(NONE);
	const start = new Float64Array(n.count);
	for (let node = 1; node < n.count; node++) {
		const up = n.parent[node];
		if (firstChild[up] === NONE) {
			firstChild[up] = node;
			start[node] = start[up];
		} else {
			nextSibling[node - 1] = node;
			start[node] = start[node - 1] + n.total[node - 1];
		}
	}
	return { firstChild, nextSibling, start };
}

/** The tree of nodes whose self and total are known, and shares of what ends at them. */
export function finishTree(n: Nodes): Tree {
	const { count } = n;
	addUpNodes(n);
	let maxDepth = 0;
	for (let node = 0; node < count; node++) maxDepth = Math.max(maxDepth, n.depth[node]);
	const frame = n.frame.subarray(0, count);
	return {
		count,
		parent: n.parent.subarray(0, count),
		...link(n),
		frame,
		key: new Uint32Array(frame.buffer, frame.byteOffset, count),
		depth: n.depth.subarray(0, count),
		self: n.self.subarray(0, count),
		total: n.total.subarray(0, count),
		before: n.before?.subarray(0, count) ?? null,
		beforeSelf: n.beforeSelf?.subarray(0, count) ?? null,
		shares: n.shares.map((column) => column.subarray(0, count)),
		maxDepth,
		sum: n.total[0],
		beforeSum: n.before ? n.before[0] : 0,
	};
}
