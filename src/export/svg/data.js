// SPDX-License-Identifier: MIT
// The call tree, decoded from what svg_data.c wrote. Node 0 stands for all samples. Nodes are in
// preorder: a subtree is node .. end[node] - 1, a first child is node + 1.
import { decodeDiff } from './diff.js';
import { ORIGINS, visible } from './text.js';

// Reads the packed numbers described in svg.h.
function makeReader(packed) {
	const values = new Uint8Array(128);
	[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].forEach(
		(letter, value) => {
			values[letter.charCodeAt(0)] = value;
		},
	);
	const reader = {
		at: 0,
		next() {
			let digit = values[packed.charCodeAt(reader.at++)];
			if (digit < 32) return digit;
			let number = digit - 32;
			for (let scale = 32; digit >= 32; scale *= 32) {
				digit = values[packed.charCodeAt(reader.at++)];
				number += (digit & 31) * scale;
			}
			return number;
		},
	};
	return reader;
}

export function decode(raw) {
	const tree = {
		title: raw.title,
		command: raw.command,
		unit: raw.unit,
		inverted: raw.inverted,
		count: raw.count,
		functions: decodeFunctions(raw),
		fn: new Int32Array(raw.count),
		parent: new Int32Array(raw.count),
		depth: new Int32Array(raw.count),
		end: new Int32Array(raw.count),
		self: new Float64Array(raw.count),
		total: new Float64Array(raw.count),
		lineReader: raw.lines ? makeReader(raw.lines) : null,
		lineAt: null,
		ranks: new Map(),
		diff: null,
	};
	decodeNodes(tree, raw.nodes);
	if (raw.diff)
		decodeDiff(tree, raw.diff, {
			self: makeReader(raw.diff.self),
			classes: makeReader(raw.diff.classes),
		});
	sumTotals(tree);
	return tree;
}

function decodeFunctions(raw) {
	const functions = [];
	for (let i = 0; i < raw.functions.length; i += 5) {
		const [name, file, first, origin, tone] = raw.functions.slice(i, i + 5);
		functions.push({
			name: visible(raw.names[name]) || '?',
			// a file in place of its functions says its name once
			file: raw.files[file] === raw.names[name] ? '' : visible(raw.files[file]),
			first,
			origin,
			css: ORIGINS[origin].css + tone,
		});
	}
	return functions;
}

function decodeNodes(tree, packed) {
	const reader = makeReader(packed);
	const { count, fn, parent, depth, self } = tree;
	const path = [0];
	fn[0] = parent[0] = -1;
	for (let i = 1; i < count; i++) {
		const head = reader.next();
		const up = head % 2 ? reader.next() : 0;
		const level = depth[i - 1] + 1 - up;
		fn[i] = Math.floor(head / 2);
		self[i] = head % 2 ? reader.next() : 0;
		depth[i] = level;
		parent[i] = path[level - 1];
		path[level] = i;
	}
}

function sumTotals(tree) {
	for (let i = tree.count - 1; i >= 0; i--) {
		const parent = tree.parent[i];
		tree.total[i] += tree.self[i];
		if (tree.end[i] === 0) tree.end[i] = i + 1;
		if (parent < 0) continue;
		tree.total[parent] += tree.total[i];
		if (tree.end[i] > tree.end[parent]) tree.end[parent] = tree.end[i];
	}
}

function readLines(tree, node) {
	const reader = tree.lineReader;
	const count = reader.next() + 1;
	const pairs = [];
	for (let i = 0; i < count; i++) {
		const distance = reader.next();
		const line =
			tree.functions[tree.fn[node]].first +
			(distance % 2 ? -(distance + 1) / 2 : distance / 2);
		pairs.push([line, count > 1 ? reader.next() : tree.total[node]]);
	}
	return pairs;
}

// [line, samples] pairs of a node, largest first; line 0 is a line not known.
export function linesOf(tree, node) {
	if (!tree.lineReader || node === 0) return [];
	if (!tree.lineAt) {
		// where each node's lines begin: found when first asked for
		tree.lineAt = new Uint32Array(tree.count);
		tree.lineReader.at = 0;
		for (let i = 1; i < tree.count; i++) {
			tree.lineAt[i] = tree.lineReader.at;
			readLines(tree, i);
		}
	}
	tree.lineReader.at = tree.lineAt[node];
	return readLines(tree, node);
}

export function childrenOf(tree, node) {
	const children = [];
	for (let c = node + 1; c < tree.end[node]; c = tree.end[c]) children.push(c);
	return children;
}

// Children, largest first. A group of narrow siblings is a range of these ranks.
export function rankedChildren(tree, node) {
	let ranked = tree.ranks.get(node);
	if (!ranked) {
		ranked = childrenOf(tree, node).sort((a, b) => tree.total[b] - tree.total[a] || a - b);
		tree.ranks.set(node, ranked);
	}
	return ranked;
}

export function nameOf(tree, node) {
	return node === 0 ? 'all' : tree.functions[tree.fn[node]].name;
}

// "file:line", where the function begins; '' if it has no file.
export function placeOf(tree, node) {
	if (node === 0) return '';
	const { file, first } = tree.functions[tree.fn[node]];
	return first && file ? `${file}:${first}` : file;
}

// Samples with the function anywhere on the stack: recursion counts once.
export function functionTotal(tree, fn) {
	let total = 0;
	let places = 0;
	for (let i = 1; i < tree.count;) {
		if (tree.fn[i] === fn) {
			total += tree.total[i];
			places++;
			i = tree.end[i];
		} else {
			i++;
		}
	}
	return { total, places };
}
