// SPDX-License-Identifier: MIT
/**
 * A call tree for drawing: nodes in typed arrays, children heaviest first (or by name). Node 0 is
 * the root of all; its weight is the sum of everything shown.
 *
 * A node is told apart from its siblings by its shown frame's function (and line, if lines are
 * shown); its key is stable for a capture under a state's granularity and transforms, and is what
 * State.zoom holds.
 */
import { childrenOf, outermostFunctions } from './forest.js';
import { growDown, growUp } from './grow.js';
import type { Shown } from './shown.js';

export interface Tree {
	readonly count: number;
	readonly parent: Int32Array; // NONE for node 0
	readonly firstChild: Int32Array; // NONE: a leaf
	readonly nextSibling: Int32Array; // NONE: the last
	readonly frame: Int32Array; // of the shown tables; NONE for node 0
	readonly key: Uint32Array; // the frame, told again: unique among siblings
	readonly depth: Uint16Array; // node 0 has 0
	readonly self: Float64Array;
	readonly total: Float64Array;
	readonly before: Float64Array | null; // total of the other side of a comparison
	readonly beforeSelf: Float64Array | null;
	readonly start: Float64Array; // sum of the totals of what is drawn left of it
	/** By node, of total, in the order of Side.shares: on processor, runnable, waiting, other. */
	readonly shares: readonly Float32Array[];
	readonly maxDepth: number;
	readonly sum: number; // total of node 0
	readonly beforeSum: number; // 0 if nothing is compared
}

/**
 * From the root, or (inverted) from the leaves: then roots are the functions with self time, children
 * are callers, and self is what the samples have whose stack ends (begins) there. Stacks without
 * weight on either side make no nodes.
 *
 * An inverted tree can have as many nodes as all stacks have frames together. Where that is too many,
 * the callers of light nodes are one child, a mark "(more callers)".
 */
export function makeTree(shown: Shown, inverted: boolean): Tree {
	const { stackParent, stackCount } = shown.tables;
	const { now, before } = shown;
	const stacks: number[] = [];
	for (let s = 0; s < stackCount; s++) {
		const wanted = inverted
			? now.self[s] > 0 || (before !== null && before.self[s] > 0)
			: stackParent[s] < 0 && (now.total[s] > 0 || (before !== null && before.total[s] > 0));
		if (wanted) stacks.push(s);
	}
	const items = Int32Array.from(stacks);
	return inverted ? growUp(shown, items, false) : growDown(shown, items, childrenOf(shown.tables));
}

/**
 * Of one function (of the shown tables): what it calls, from its outermost calls down, and what calls
 * it (inverted). Both sum up to the function's total; below node 0 is the function itself (a node for
 * each of its lines, if lines are shown).
 */
export function makeSandwich(shown: Shown, func: number): { callees: Tree; callers: Tree } {
	const { tables, now, before } = shown;
	const { outermost } = outermostFunctions(tables);
	const stacks: number[] = [];
	for (let s = 0; s < tables.stackCount; s++) {
		if (outermost[s] === 0 || tables.frameFunc[tables.stackFrame[s]] !== func) continue;
		if (now.total[s] > 0 || (before !== null && before.total[s] > 0)) stacks.push(s);
	}
	const items = Int32Array.from(stacks);
	return {
		callees: growDown(shown, items, childrenOf(tables)),
		callers: growUp(shown, items, true),
	};
}
