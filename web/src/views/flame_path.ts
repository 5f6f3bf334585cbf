// SPDX-License-Identifier: MIT
/** Nodes of a call tree by their keys, and the stacks they stand for. */

import { NONE } from '../data/capture.js';
import type { Shape, Span } from '../draw/layout.js';
import { restOf } from '../draw/layout.js';
import type { ShownTables } from '../model/shown.js';
import type { Tree } from '../model/tree.js';

/** Where a zoom path leads: a node, or the narrow children of `node` from `pool` to `last`. */
export interface Place {
	readonly node: number;
	readonly pool: number; // NONE: the node itself
	readonly last: number; // NONE: to the last child
}

export const nodePlace = (node: number): Place => ({ node, pool: NONE, last: NONE });

function childWithKey(tree: Tree, parent: number, key: number): number {
	let c = tree.firstChild[parent];
	while (c !== NONE && tree.key[c] !== key) c = tree.nextSibling[c];
	return c;
}

/** Follows State.zoom as far as the tree has its nodes. */
export function resolvePath(tree: Tree, path: readonly number[]): Place {
	let node = 0;
	for (let i = 0; i < path.length; i++) {
		const key = path[i] ?? 0;
		const child = childWithKey(tree, node, key < 0 ? -1 - key : key);
		if (child === NONE) break;
		if (key < 0) {
			const end = path[i + 1];
			const last = end === undefined ? NONE : childWithKey(tree, node, -1 - end);
			return { node, pool: child, last };
		}
		node = child;
	}
	return nodePlace(node);
}

/** The other way round. */
export function pathTo(tree: Tree, place: Place): number[] {
	const path: number[] = [];
	if (place.last !== NONE) path.push(-1 - tree.key[place.last]);
	if (place.pool !== NONE) path.push(-1 - tree.key[place.pool]);
	for (let n = place.node; n > 0; n = tree.parent[n]) path.push(tree.key[n]);
	return path.reverse();
}

/** The part of the width of the tree that a place takes; all of it if the place has no width. */
export function spanOf(shape: Shape, place: Place): Span {
	const { start, value } = shape;
	const first = place.pool === NONE ? place.node : place.pool;
	let width = value[place.node];
	if (place.last !== NONE) width = start[place.last] + value[place.last] - start[first];
	else if (place.pool !== NONE) width = restOf(shape, place.node, first);
	if (!(width > 0)) return { from: start[0], to: start[0] + value[0] };
	return { from: start[first], to: start[first] + width };
}

/** The next place outwards at which there is more to be seen. */
export function outwards(shape: Shape, place: Place): Place {
	if (place.pool !== NONE) return nodePlace(place.node);
	const { value, tree } = shape;
	let node = place.node;
	while (node > 0 && value[tree.parent[node]] <= value[place.node] * 1.000001) {
		node = tree.parent[node];
	}
	return nodePlace(node > 0 ? tree.parent[node] : 0);
}

/** Nodes from the root's child down to `node`. */
export function nodesTo(tree: Tree, node: number): number[] {
	const nodes: number[] = [];
	for (let n = node; n > 0; n = tree.parent[n]) nodes.push(n);
	return nodes.reverse();
}

/** The stack as shown that a node of a tree from the roots stands for; NONE for node 0. */
export function stackOfNode(tables: ShownTables, tree: Tree, node: number): number {
	const keys = nodesTo(tree, node).map((n) => tree.frame[n]);
	if (keys.length === 0) return NONE;
	// parents come before children, so one pass finds the stack of each length in turn
	const found = new Int32Array(keys.length + 1).fill(NONE);
	for (let s = 0; s < tables.stackCount; s++) {
		const depth = tables.stackDepth[s];
		if (depth > keys.length || !sameFrame(tables, tables.stackFrame[s], keys[depth - 1] ?? NONE)) {
			continue;
		}
		if (tables.stackParent[s] !== found[depth - 1]) continue;
		found[depth] = s;
		if (depth === keys.length) return s;
	}
	return NONE;
}

function sameFrame(tables: ShownTables, a: number, b: number): boolean {
	if (a === b) return true;
	return tables.frameFunc[a] === tables.frameFunc[b] && tables.frameLine[a] === tables.frameLine[b];
}

/** Nodes along a stack as shown, in a tree from the roots: the root's child first. */
export function nodesOfStack(tables: ShownTables, tree: Tree, stack: number): number[] {
	const frames: number[] = [];
	for (let s = stack; s !== NONE; s = tables.stackParent[s]) frames.push(tables.stackFrame[s]);
	const nodes: number[] = [];
	let node = 0;
	for (const frame of frames.reverse()) {
		let c = tree.firstChild[node];
		while (c !== NONE && !sameFrame(tables, tree.frame[c], frame)) c = tree.nextSibling[c];
		if (c === NONE) break;
		nodes.push(c);
		node = c;
	}
	return nodes;
}

/** What of a tree matches a search. */
export interface Matched {
	readonly weight: number; // of all matching frames; those within a match count once
	readonly nodes: readonly number[]; // all that match, from left to right, parents first
}

/** `matches`: by function of the tables. */
export function matchNodes(shape: Shape, tables: ShownTables, matches: Uint8Array): Matched {
	const { tree, value, start } = shape;
	const nodes: number[] = [];
	// 1: the node or one above it matches; parents may come after children, so a walk it is
	const within = new Uint8Array(tree.count);
	const open = [0];
	let weight = 0;
	for (let node = open.pop(); node !== undefined; node = open.pop()) {
		for (let c = tree.firstChild[node]; c !== NONE; c = tree.nextSibling[c]) {
			if (!(value[c] > 0)) continue;
			const match = matches[tables.frameFunc[tree.frame[c]]] === 1;
			if (match) nodes.push(c);
			if (match && !within[node]) weight += value[c];
			within[c] = match || within[node] ? 1 : 0;
			if (tree.firstChild[c] !== NONE) open.push(c);
		}
	}
	nodes.sort((a, b) => start[a] - start[b] || tree.depth[a] - tree.depth[b]);
	return { weight, nodes };
}
