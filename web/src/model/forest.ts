// SPDX-License-Identifier: MIT
/** What is known of a table of stacks as such, whatever its weights. Worked out once per table. */
import { NONE } from '../data/capture.js';
import type { ShownTables } from './shown.js';

/** Children of stack s: child[start[s]] .. child[start[s + 1] - 1]; roots are those of `count`. */
export interface Children {
	readonly start: Int32Array;
	readonly child: Int32Array;
}

export function makeChildren(parent: Int32Array): Children {
	const count = parent.length;
	const start = new Int32Array(count + 2);
	const child = new Int32Array(count);
	for (let s = 0; s < count; s++) start[(parent[s] < 0 ? count : parent[s]) + 1]++;
	for (let s = 0; s <= count; s++) start[s + 1] += start[s];
	const next = start.slice();
	for (let s = 0; s < count; s++) child[next[parent[s] < 0 ? count : parent[s]]++] = s;
	return { start, child };
}

/**
 * By stack: 1 if none of those it stands on has the same id as its own (`idOf`, below `ids`; NONE
 * counts as no id: 0). What adds up the totals of these counts a sample once per id.
 */
export function findOutermost(
	parent: Int32Array,
	children: Children,
	idOf: (stack: number) => number,
	ids: number,
): Uint8Array {
	const count = parent.length;
	const outermost = new Uint8Array(count);
	const open = new Int32Array(ids); // how often an id is on the way from the root
	const next = children.start.slice(0, count + 1); // of each stack: the child to go to
	let at = count; // above all roots
	for (;;) {
		if (next[at] < children.start[at + 1]) {
			at = children.child[next[at]++];
			const id = idOf(at);
			if (id !== NONE && open[id]++ === 0) outermost[at] = 1;
			continue;
		}
		if (at === count) return outermost;
		const id = idOf(at);
		if (id !== NONE) open[id]--;
		at = parent[at] < 0 ? count : parent[at];
	}
}

const childrenByTables = new WeakMap<ShownTables, Children>();

export function childrenOf(tables: ShownTables): Children {
	const known = childrenByTables.get(tables);
	if (known) return known;
	const children = makeChildren(tables.stackParent);
	childrenByTables.set(tables, children);
	return children;
}

/** By stack: its function, and whether that is its outermost call. */
export interface Calls {
	readonly func: Uint32Array;
	readonly outermost: Uint8Array;
}

const callsByTables = new WeakMap<ShownTables, Calls>();

export function outermostFunctions(tables: ShownTables): Calls {
	const known = callsByTables.get(tables);
	if (known) return known;
	const { stackFrame, frameFunc, funcCount, stackParent } = tables;
	const func = stackFrame.map((frame) => frameFunc[frame]);
	const children = childrenOf(tables);
	const outermost = findOutermost(stackParent, children, (s) => func[s], funcCount);
	const calls = { func, outermost };
	callsByTables.set(tables, calls);
	return calls;
}
