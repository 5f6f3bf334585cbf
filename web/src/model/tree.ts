// SPDX-License-Identifier: MIT
/**
 * A call tree for drawing: nodes in typed arrays, children heaviest first (or by name). Node 0 is
 * the root of all; its weight is the sum of everything shown.
 *
 * A node is told apart from its siblings by its shown frame's function (and line, if lines are
 * shown); its key is stable for a capture under a state's granularity and transforms, and is what
 * State.zoom holds.
 */
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
	readonly maxDepth: number;
	readonly sum: number; // total of node 0
	readonly beforeSum: number; // 0 if nothing is compared
}

/** From the root, or (inverted) from the leaves: then roots are the functions with self time. */
export function makeTree(shown: Shown, inverted: boolean): Tree {
	throw new Error(`not yet: ${shown.leftOut} ${inverted}`);
}

/**
 * Of one function (of the shown tables): what it calls, from its outermost calls down, and what calls
 * it (inverted). Both sum up to the function's total.
 */
export function makeSandwich(shown: Shown, func: number): { callees: Tree; callers: Tree } {
	throw new Error(`not yet: ${shown.leftOut} ${func}`);
}
