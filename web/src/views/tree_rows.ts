// SPDX-License-Identifier: MIT
/**
 * Which nodes of a call tree are rows: those whose parents are open. Light siblings are one row,
 * "… n more", until it is opened. What is open is kept by keys (Tree.key), so that it stays when the
 * tree is another one: for another range, in another mode.
 */
import { NONE } from '../data/capture.js';
import type { Tree } from '../model/tree.js';

/** An open node: its open children by key, and whether all of its light ones are shown. */
export interface Open {
	more: boolean;
	readonly children: Map<number, Open>;
}

export const makeOpen = (): Open => ({ more: false, children: new Map() });

/** Siblings are light below this share of all, and of what their parent has. */
const LIGHT = 0.001;
const LIGHT_OF_PARENT = 0.01;
export const MOST_ROWS = 20_000; // that "*" opens at once

export interface TreeRows {
	readonly count: number;
	readonly node: Int32Array; // NONE: the light ones of a parent
	readonly parent: Int32Array; // node 0 for those on top
	readonly light: Int32Array; // how many a row of light ones stands for, else 0
	readonly total: Float64Array; // of a node, or of the light ones together
	readonly before: Float64Array; // the same of the other side of a comparison, else 0
	readonly place: Int32Array; // among its siblings that are rows, from 1
	readonly siblings: Int32Array; // how many of them there are
}

/** A node's weight on the heavier side. */
export function heavier(tree: Tree, node: number): number {
	const now = tree.sum > 0 ? tree.total[node] / tree.sum : 0;
	const before = tree.before && tree.beforeSum > 0 ? tree.before[node] / tree.beforeSum : 0;
	return Math.max(now, before);
}

export function childrenOfNode(tree: Tree, node: number): number[] {
	const children: number[] = [];
	for (let c = tree.firstChild[node]; c !== NONE; c = tree.nextSibling[c]) children.push(c);
	return children;
}

/** Children that are rows of their own, and those that are too light. One alone is never hidden. */
export function splitChildren(
	tree: Tree,
	node: number,
	all: boolean,
): { shown: number[]; light: number[] } {
	const children = childrenOfNode(tree, node);
	if (all) return { shown: children, light: [] };
	const least = Math.min(LIGHT, heavier(tree, node) * LIGHT_OF_PARENT);
	const light = children.filter((c) => heavier(tree, c) < least);
	if (light.length < 2) return { shown: children, light: [] };
	const shown = children.filter((c) => heavier(tree, c) >= least);
	return shown.length > 0 ? { shown, light } : { shown: children, light: [] };
}

interface Level {
	readonly open: Open;
	readonly parent: number;
	readonly shown: readonly number[];
	readonly light: readonly number[];
	next: number;
}

/** The rows from top to bottom. Node 0 is none; its children are on top. */
export function listRows(tree: Tree, root: Open): TreeRows {
	const node: number[] = [];
	const parent: number[] = [];
	const light: number[] = [];
	const place: number[] = [];
	const siblings: number[] = [];
	const total: number[] = [];
	const before: number[] = [];
	const sum = (values: Float64Array | null, nodes: readonly number[]): number =>
		values ? nodes.reduce((all, n) => all + values[n], 0) : 0;
	const enter = (of: number, open: Open): Level => {
		const split = splitChildren(tree, of, open.more);
		return { open, parent: of, shown: split.shown, light: split.light, next: 0 };
	};
	const push = (level: Level, which: number, nodes: readonly number[]): void => {
		node.push(which);
		parent.push(level.parent);
		light.push(which === NONE ? nodes.length : 0);
		place.push(level.next);
		siblings.push(level.shown.length + (level.light.length > 0 ? 1 : 0));
		total.push(sum(tree.total, nodes));
		before.push(sum(tree.before, nodes));
	};
	// a stack of its own: trees are as deep as programs recurse
	const levels: Level[] = [enter(0, root)];
	for (let level = levels.at(-1); level; level = levels.at(-1)) {
		const child = level.shown[level.next++];
		if (child === undefined) {
			if (level.light.length > 0) push(level, NONE, level.light);
			levels.pop();
			continue;
		}
		push(level, child, [child]);
		const open = level.open.children.get(tree.key[child]);
		if (open && tree.firstChild[child] !== NONE) levels.push(enter(child, open));
	}
	return {
		count: node.length,
		node: Int32Array.from(node),
		parent: Int32Array.from(parent),
		light: Int32Array.from(light),
		place: Int32Array.from(place),
		siblings: Int32Array.from(siblings),
		total: Float64Array.from(total),
		before: Float64Array.from(before),
	};
}

/** Nodes from below node 0 to a node, outermost first. */
export function pathTo(tree: Tree, node: number): number[] {
	const path: number[] = [];
	for (let n = node; n > 0; n = tree.parent[n]) path.push(n);
	return path.reverse();
}

/** What is known of a node if it is open; null if it, or one it stands on, is closed. */
export function openOf(tree: Tree, root: Open, node: number): Open | null {
	let open: Open | undefined = root;
	for (const n of pathTo(tree, node)) open = open?.children.get(tree.key[n]);
	return open ?? null;
}

function openStep(tree: Tree, open: Open, node: number): Open {
	const known = open.children.get(tree.key[node]);
	const next = known ?? makeOpen();
	if (!known) open.children.set(tree.key[node], next);
	return next;
}

/** Opens a node and all it stands on, so that its children are rows. */
export function openNode(tree: Tree, root: Open, node: number): Open {
	let open = root;
	for (const n of pathTo(tree, node)) {
		if (splitChildren(tree, tree.parent[n], open.more).light.includes(n)) open.more = true;
		open = openStep(tree, open, n);
	}
	return open;
}

export function closeNode(tree: Tree, root: Open, node: number): void {
	const parent = tree.parent[node];
	if (parent !== NONE) openOf(tree, root, parent)?.children.delete(tree.key[node]);
}

/** Opens all below a node, widest first, but no more than MOST_ROWS; false if that was not all. */
export function openAll(tree: Tree, root: Open, node: number): boolean {
	const queue: (readonly [number, Open])[] = [[node, openNode(tree, root, node)]];
	let count = 0;
	for (let i = 0; i < queue.length; i++) {
		const [at, open] = queue[i];
		for (const child of splitChildren(tree, at, open.more).shown) {
			if (++count > MOST_ROWS) return false;
			if (tree.firstChild[child] !== NONE) queue.push([child, openStep(tree, open, child)]);
		}
	}
	return true;
}

/**
 * Opens the heaviest children, one in the other, as long as they are heavier than what their parent
 * has itself and have `least` of all. The node where that ends.
 */
export function openHottest(tree: Tree, root: Open, node: number, least: number): number {
	let at = node;
	let open: Open | null = null;
	for (;;) {
		const child = tree.firstChild[at];
		if (child === NONE || heavier(tree, child) < least) return at;
		if (at !== 0 && tree.self[at] >= tree.total[child]) return at;
		open = open ? openStep(tree, open, at) : openNode(tree, root, at);
		at = child;
	}
}

/** The node in a tree that keys lead to, or NONE. */
export function findNode(tree: Tree, keys: readonly number[]): number {
	let node = 0;
	for (const key of keys) {
		const next = childrenOfNode(tree, node).find((c) => tree.key[c] === key);
		if (next === undefined) return NONE;
		node = next;
	}
	return node;
}
