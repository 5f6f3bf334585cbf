// SPDX-License-Identifier: MIT
/**
 * Trees from stacks: downwards from some of them, or upwards from where they end. A node stands for
 * stacks that have its frame at its place; level by level they are told apart by their next frame.
 */
import { NONE } from '../data/capture.js';
import type { Children } from './forest.js';
import { addNode, finishTree, makeNodes, type Nodes } from './nodes.js';
import { addUp } from './show.js';
import type { Shown, Side } from './shown.js';
import { moreFrame, TREE_NODES } from './tables.js';
import type { Tree } from './tree.js';

const LIGHT = 1 / 2000; // of all: the callers of what is below are pooled in trees that grow too large
const FEW = 12; // are sorted without a function call for each comparison

/** Stacks that are to be told apart, and what they weigh, by stack of the shown tables. */
interface Weighed {
	readonly now: Float64Array;
	readonly before: Float64Array | null;
}

/** A level: node first + i has members start[i] .. start[i + 1] - 1. */
interface Level {
	first: number;
	readonly start: number[];
	readonly item: Int32Array; // whose weight it is
	readonly cursor: Int32Array; // the stack whose frame it is
}

interface Grower {
	readonly nodes: Nodes;
	readonly weighed: Weighed;
	readonly stackFrame: Uint32Array;
	/** Candidates for the children of a node. */
	readonly candidates: { readonly item: Int32Array; readonly cursor: Int32Array; count: number };
	readonly slotOf: Int32Array; // by frame, NONE between uses
	readonly slots: { frame: number[]; now: number[]; before: number[]; place: number[] };
	readonly order: number[]; // of slots
}

const makeLevel = (first: number, size: number): Level => ({
	first,
	start: [0],
	item: new Int32Array(size),
	cursor: new Int32Array(size),
});

function makeGrower(shown: Shown, weighed: Weighed, size: number, expected: number): Grower {
	return {
		nodes: makeNodes(shown, expected),
		weighed,
		stackFrame: shown.tables.stackFrame,
		candidates: { item: new Int32Array(size), cursor: new Int32Array(size), count: 0 },
		slotOf: new Int32Array(shown.tables.frameCount).fill(NONE),
		slots: { frame: [], now: [], before: [], place: [] },
		order: [],
	};
}

/** Sums of the candidates by frame; the number of different frames. */
function fillSlots(g: Grower): number {
	const { candidates, slotOf, slots, stackFrame, weighed } = g;
	let count = 0;
	for (let i = 0; i < candidates.count; i++) {
		const frame = stackFrame[candidates.cursor[i]];
		const item = candidates.item[i];
		let slot = slotOf[frame];
		if (slot === NONE) {
			slot = count++;
			slotOf[frame] = slot;
			slots.frame[slot] = frame;
			slots.now[slot] = 0;
			slots.before[slot] = 0;
			slots.place[slot] = 0;
		}
		slots.now[slot] += weighed.now[item];
		if (weighed.before) slots.before[slot] += weighed.before[item];
		slots.place[slot]++;
	}
	return count;
}

/** Orders slots: the heaviest first; what is equal by frames, so that it stays where it is. */
function sortSlots(g: Grower, count: number): void {
	const { order } = g;
	const { frame, now, before } = g.slots;
	order.length = count;
	for (let i = 0; i < count; i++) order[i] = i;
	const compare = (a: number, b: number): number =>
		now[b] - now[a] || before[b] - before[a] || frame[a] - frame[b];
	if (count > FEW) {
		order.sort(compare);
		return;
	}
	for (let i = 1; i < count; i++) {
		const slot = order[i];
		let at = i;
		for (; at > 0 && compare(order[at - 1], slot) > 0; at--) order[at] = order[at - 1];
		order[at] = slot;
	}
}

/** A node's only candidate. */
function addOnly(g: Grower, node: number, into: Level): void {
	const { candidates, nodes, weighed } = g;
	const [item, cursor] = [candidates.item[0], candidates.cursor[0]];
	const end = into.start[into.start.length - 1];
	const child = addNode(nodes, node, g.stackFrame[cursor]);
	nodes.total[child] = weighed.now[item];
	if (nodes.before && weighed.before) nodes.before[child] = weighed.before[item];
	into.item[end] = item;
	into.cursor[end] = cursor;
	into.start.push(end + 1);
	candidates.count = 0;
}

/** Children of `node`, one for each frame of the candidates, which become their members. */
function split(g: Grower, node: number, into: Level): void {
	const { candidates, nodes, slotOf, slots } = g;
	if (candidates.count === 0) return;
	if (candidates.count === 1) {
		addOnly(g, node, into);
		return;
	}
	const count = fillSlots(g);
	sortSlots(g, count);
	let end = into.start[into.start.length - 1];
	for (const slot of g.order) {
		const child = addNode(nodes, node, slots.frame[slot]);
		nodes.total[child] = slots.now[slot];
		if (nodes.before) nodes.before[child] = slots.before[slot];
		const members = slots.place[slot];
		slots.place[slot] = end;
		end += members;
		into.start.push(end);
	}
	for (let i = 0; i < candidates.count; i++) {
		const cursor = candidates.cursor[i];
		const at = slots.place[slotOf[g.stackFrame[cursor]]]++;
		into.item[at] = candidates.item[i];
		into.cursor[at] = cursor;
	}
	for (let slot = 0; slot < count; slot++) slotOf[slots.frame[slot]] = NONE;
	candidates.count = 0;
}

/** What ends at a node. */
function addEnd(nodes: Nodes, node: number, s: number, ends: Ends): void {
	nodes.self[node] += ends.now[s];
	if (nodes.beforeSelf && ends.before) nodes.beforeSelf[node] += ends.before[s];
	const { shares } = nodes;
	shares[0][node] += ends.shares[0][s];
	shares[1][node] += ends.shares[1][s];
	shares[2][node] += ends.shares[2][s];
	shares[3][node] += ends.shares[3][s];
}

/** By stack: what is added to the node at which it ends. */
interface Ends extends Weighed {
	readonly shares: readonly Float64Array[];
}

function addCandidate(g: Grower, item: number, cursor: number): void {
	const { candidates } = g;
	candidates.item[candidates.count] = item;
	candidates.cursor[candidates.count++] = cursor;
}

/** Node 0 and its children, of which the items are the members. */
function firstLevel(g: Grower, items: Int32Array, size: number): Level {
	const level = makeLevel(1, size);
	for (const s of items) addCandidate(g, s, s);
	split(g, 0, level);
	return level;
}

/** The tree of the stacks `items`, none of which stands on another one, and all that is on them. */
export function growDown(shown: Shown, items: Int32Array, children: Children): Tree {
	const { now, before, tables } = shown;
	const ends: Ends = { now: now.self, before: before?.self ?? null, shares: now.shares };
	const weighed = { now: now.total, before: before?.total ?? null };
	const size = tables.stackCount;
	const g = makeGrower(shown, weighed, size, Math.min(size, 1 << 16));
	let level = firstLevel(g, items, size);
	let spare = makeLevel(0, size);
	while (level.start.length > 1) {
		const next = spare;
		next.first = g.nodes.count;
		next.start.length = 1;
		for (let i = 0; i + 1 < level.start.length; i++) {
			for (let at = level.start[i]; at < level.start[i + 1]; at++) {
				const s = level.item[at];
				addEnd(g.nodes, level.first + i, s, ends);
				for (let c = children.start[s]; c < children.start[s + 1]; c++) {
					const child = children.child[c];
					const weighs = weighed.now[child] > 0 || (weighed.before?.[child] ?? 0) > 0;
					if (weighs) addCandidate(g, child, child);
				}
			}
			split(g, level.first + i, next);
		}
		spare = level;
		level = next;
	}
	return finishTree(g.nodes);
}

/** Shares with those of the stacks that stand on a stack. */
function wholeShares(shown: Shown): Float64Array[] {
	return shown.now.shares.map((share) => {
		const sums = share.slice();
		addUp(shown.tables.stackParent, sums);
		return sums;
	});
}

function endsUp(shown: Shown, whole: boolean): Ends {
	const weight = (side: Side): Float64Array => (whole ? side.total : side.self);
	return {
		now: weight(shown.now),
		before: shown.before && weight(shown.before),
		shares: whole ? wholeShares(shown) : shown.now.shares,
	};
}

/** In place of a node's children, with all that they would have. */
function poolCallers(g: Grower, node: number, frame: number, ends: Ends): void {
	const { candidates, nodes } = g;
	const child = addNode(nodes, node, frame);
	for (let i = 0; i < candidates.count; i++) addEnd(nodes, child, candidates.item[i], ends);
	nodes.total[child] = nodes.self[child];
	if (nodes.before && nodes.beforeSelf) nodes.before[child] = nodes.beforeSelf[child];
	candidates.count = 0;
}

/** Whether a node's callers are to be pooled, as there are too many nodes already. */
function isPooled(g: Grower, node: number, light: number): boolean {
	const { count, total } = g.nodes;
	return count > TREE_NODES && (count > 2 * TREE_NODES || total[node] < light);
}

/**
 * The inverted tree of the stacks `items`: roots are their frames, children are callers. Weights are
 * those of what ends in the items or, with `whole`, also of what stands on them.
 */
export function growUp(shown: Shown, items: Int32Array, whole: boolean): Tree {
	const { stackParent } = shown.tables;
	const ends = endsUp(shown, whole);
	const most = items.reduce((sum, s) => sum + shown.tables.stackDepth[s], 0);
	const g = makeGrower(shown, ends, items.length, Math.min(most, TREE_NODES));
	const more = moreFrame(shown.tables);
	const light = shown.now.sum * LIGHT;
	let level = firstLevel(g, items, items.length);
	let spare = makeLevel(0, items.length);
	while (level.start.length > 1) {
		const next = spare;
		next.first = g.nodes.count;
		next.start.length = 1;
		for (let i = 0; i + 1 < level.start.length; i++) {
			const node = level.first + i;
			for (let at = level.start[i]; at < level.start[i + 1]; at++) {
				const up = stackParent[level.cursor[at]];
				if (up === NONE) addEnd(g.nodes, node, level.item[at], ends);
				else addCandidate(g, level.item[at], up);
			}
			if (more !== NONE && g.candidates.count > 0 && isPooled(g, node, light)) {
				poolCallers(g, node, more, ends);
				next.start.push(next.start[next.start.length - 1]);
			} else {
				split(g, node, next);
			}
		}
		spare = level;
		level = next;
	}
	return finishTree(g.nodes);
}
