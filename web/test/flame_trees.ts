// SPDX-License-Identifier: MIT
/**
 * What is shown, from lines of folded text ("a;b 3"), and its call tree by the simplest way there
 * is: for tests of what draws them. A frame "name@file" has a file; "[name]" is a mark.
 */
import { FunctionKind, NONE, Origin } from '../src/data/capture.js';
import type { Shown, ShownTables, Side } from '../src/model/shown.js';
import type { Tree } from '../src/model/tree.js';

interface Line {
	readonly names: readonly string[];
	readonly weight: number;
}

function readLine(text: string): Line {
	const cut = text.lastIndexOf(' ');
	return { names: text.slice(0, cut).split(';'), weight: Number(text.slice(cut + 1)) };
}

interface Rows {
	readonly funcs: string[];
	readonly parent: number[];
	readonly frame: number[];
	readonly depth: number[];
	readonly find: (names: readonly string[]) => number;
}

function makeRows(): Rows {
	const funcs: string[] = [];
	const parent: number[] = [];
	const frame: number[] = [];
	const depth: number[] = [];
	const find = (names: readonly string[]): number => {
		let stack = NONE;
		for (const name of names) {
			if (!funcs.includes(name)) funcs.push(name);
			const func = funcs.indexOf(name);
			let next = parent.findIndex((p, i) => p === stack && frame[i] === func);
			if (next < 0) {
				next = parent.push(stack) - 1;
				frame.push(func);
				depth.push(stack === NONE ? 1 : depth[stack] + 1);
			}
			stack = next;
		}
		return stack;
	};
	return { funcs, parent, frame, depth, find };
}

function tablesOf(rows: Rows): ShownTables {
	const { funcs } = rows;
	const files = funcs.map((f) => f.split('@')[1] ?? '');
	const count = funcs.length;
	return {
		funcCount: count,
		funcName: funcs.map((f) => f.split('@')[0] ?? ''),
		funcFile: files,
		funcLine: Uint32Array.from(files, (f) => (f ? 7 : 0)),
		funcModule: files.map((f) => f.replace(/\.py$/, '')),
		funcKind: Uint8Array.from(funcs, (f) => (f[0] === '[' ? FunctionKind.Mark : 0)),
		funcOrigin: Uint8Array.from(funcs, (f) => (f[0] === '[' ? Origin.None : Origin.Own)),
		funcOwn: Int32Array.from(funcs, (_, i) => i),
		frameCount: count,
		frameFunc: Uint32Array.from(funcs, (_, i) => i),
		frameLine: new Uint32Array(count),
		stackCount: rows.parent.length,
		stackParent: Int32Array.from(rows.parent),
		stackFrame: Uint32Array.from(rows.frame),
		stackDepth: Uint16Array.from(rows.depth),
	};
}

function sideOf(rows: Rows, lines: readonly Line[]): Side {
	const self = new Float64Array(rows.parent.length);
	const total = new Float64Array(rows.parent.length);
	let sum = 0;
	for (const { names, weight } of lines) {
		let s = rows.find(names);
		self[s] += weight;
		sum += weight;
		for (; s !== NONE; s = rows.parent[s]) total[s] += weight;
	}
	const none = new Float64Array(self.length);
	return { self, total, sum, samples: sum, shares: [self, none, none, none] };
}

/** Shown from folded lines, and from those of what it is compared with. */
export function shownOf(now: readonly string[], before: readonly string[] | null = null): Shown {
	const rows = makeRows();
	const [nowLines, beforeLines] = [now.map(readLine), before?.map(readLine)];
	for (const { names } of [...nowLines, ...(beforeLines ?? [])]) rows.find(names);
	return {
		tables: tablesOf(rows),
		stackOf: Int32Array.from(rows.parent, (_, i) => i),
		now: sideOf(rows, nowLines),
		before: beforeLines ? sideOf(rows, beforeLines) : null,
		leftOut: 0,
		periodNs: 1e6,
	};
}

interface Node {
	readonly frame: number;
	readonly children: Map<number, Node>;
	readonly self: [number, number];
	readonly total: [number, number];
}

function grow(shown: Shown, inverted: boolean): Node {
	const { tables } = shown;
	const make = (frame: number): Node => ({
		frame,
		children: new Map(),
		self: [0, 0],
		total: [0, 0],
	});
	const root = make(NONE);
	const addPath = (frames: readonly number[], weight: number, side: 0 | 1): void => {
		let node = root;
		node.total[side] += weight;
		for (const frame of frames) {
			const next = node.children.get(frame) ?? make(frame);
			node.children.set(frame, next);
			next.total[side] += weight;
			node = next;
		}
		node.self[side] += weight;
	};
	for (let stack = 0; stack < tables.stackCount; stack++) {
		const frames: number[] = [];
		for (let s = stack; s !== NONE; s = tables.stackParent[s]) frames.push(tables.stackFrame[s]);
		if (!inverted) frames.reverse();
		for (const [i, side] of [shown.now, shown.before].entries()) {
			if (side && side.self[stack] > 0) addPath(frames, side.self[stack], i as 0 | 1);
		}
	}
	return root;
}

/** The call tree, children heaviest first. */
export function treeOf(shown: Shown, inverted = false): Tree {
	const nodes: Node[] = [];
	const parent: number[] = [];
	const firstChild: number[] = [];
	const nextSibling: number[] = [];
	const depth: number[] = [];
	const start: number[] = [];
	const visit = (node: Node, above: number, x: number): number => {
		const me = nodes.push(node) - 1;
		parent.push(above);
		depth.push(above === NONE ? 0 : depth[above] + 1);
		firstChild.push(NONE);
		nextSibling.push(NONE);
		start.push(x);
		let at = x;
		let last = NONE;
		for (const child of [...node.children.values()].sort((a, b) => b.total[0] - a.total[0])) {
			const made = visit(child, me, at);
			if (last === NONE) firstChild[me] = made;
			else nextSibling[last] = made;
			last = made;
			at += child.total[0];
		}
		return me;
	};
	visit(grow(shown, inverted), NONE, 0);
	const of = (get: (n: Node) => number): Float64Array => Float64Array.from(nodes, get);
	const total = of((n) => n.total[0]);
	return {
		count: nodes.length,
		parent: Int32Array.from(parent),
		firstChild: Int32Array.from(firstChild),
		nextSibling: Int32Array.from(nextSibling),
		frame: Int32Array.from(nodes, (n) => n.frame),
		key: Uint32Array.from(nodes, (n) => Math.max(0, n.frame)),
		depth: Uint16Array.from(depth),
		self: of((n) => n.self[0]),
		total,
		before: shown.before ? of((n) => n.total[1]) : null,
		beforeSelf: shown.before ? of((n) => n.self[1]) : null,
		start: Float64Array.from(start),
		shares: [0, 1, 2, 3].map((i) => Float32Array.from(total, (t) => (i === 0 ? t : 0))),
		maxDepth: depth.reduce((a, b) => Math.max(a, b), 0),
		sum: total[0],
		beforeSum: nodes[0].total[1],
	};
}

/** The node at a path of names; fails if there is none. */
export function nodeOf(shown: Shown, tree: Tree, ...names: readonly string[]): number {
	let node = 0;
	for (const name of names) {
		let c = tree.firstChild[node];
		while (c !== NONE && shown.tables.funcName[shown.tables.frameFunc[tree.frame[c]]] !== name) {
			c = tree.nextSibling[c];
		}
		if (c === NONE) throw new Error(`no node '${names.join(';')}'`);
		node = c;
	}
	return node;
}
