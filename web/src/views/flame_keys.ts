// SPDX-License-Identifier: MIT
/** Which frame the arrows lead to. */
import { NONE } from '../data/capture.js';
import type { Shape } from '../draw/layout.js';

function heaviestChild(shape: Shape, node: number): number {
	const { tree, value } = shape;
	let best = NONE;
	for (let c = tree.firstChild[node]; c !== NONE; c = tree.nextSibling[c]) {
		if (value[c] > 0 && (best === NONE || value[c] > value[best])) best = c;
	}
	return best;
}

function nextSibling(shape: Shape, node: number): number {
	const { tree, value } = shape;
	let c = tree.nextSibling[node];
	while (c !== NONE && !(value[c] > 0)) c = tree.nextSibling[c];
	return c;
}

function previousSibling(shape: Shape, node: number): number {
	const { tree, value } = shape;
	if (node === 0) return NONE;
	let last = NONE;
	for (let c = tree.firstChild[tree.parent[node]]; c !== node && c !== NONE; ) {
		if (value[c] > 0) last = c;
		c = tree.nextSibling[c];
	}
	return last;
}

/**
 * From a node to its heaviest child, its parent or a sibling; at the end of its siblings to the
 * nearest node beside it, which is one of an uncle. With `first`, nothing was focused: the node
 * itself. NONE: there is none.
 */
export function moveFocus(
	shape: Shape,
	node: number,
	first: boolean,
	event: { readonly key: string },
	rootAtTop: boolean,
	hideRoot: boolean,
): number {
	if (event.key === 'Home') return hideRoot ? heaviestChild(shape, 0) : 0;
	if (first) return hideRoot && node === 0 ? heaviestChild(shape, 0) : node;
	const inwards = rootAtTop ? 'ArrowDown' : 'ArrowUp';
	const outwards = rootAtTop ? 'ArrowUp' : 'ArrowDown';
	if (event.key === inwards) return heaviestChild(shape, node);
	if (event.key === outwards) {
		const parent = shape.tree.parent[node];
		return parent === 0 && hideRoot ? NONE : parent;
	}
	if (event.key === 'ArrowRight') return beside(shape, node, nextSibling);
	if (event.key === 'ArrowLeft') return beside(shape, node, previousSibling);
	return NONE;
}

function beside(shape: Shape, node: number, step: (shape: Shape, node: number) => number): number {
	for (let n = node; n > 0; n = shape.tree.parent[n]) {
		const next = step(shape, n);
		if (next !== NONE) return next;
	}
	return NONE;
}
