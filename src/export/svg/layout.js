// SPDX-License-Identifier: MIT
// Where each rectangle of a view goes. A view is a node, or a group of its smaller children:
// { node } or { node, from, to }, a range of ranks (see rankedChildren). What is too narrow to draw
// is pooled to the right of its siblings into a "rest" item, which stands for such a group.
import { childrenOf, rankedChildren } from './data.js';

const CHUNKS = 16;

export function isGroup(view) {
	return view.to !== undefined;
}

export function groupMembers(tree, view) {
	return rankedChildren(tree, view.node)
		.slice(view.from, view.to)
		.sort((a, b) => a - b);
}

export function viewTotal(tree, view) {
	if (!isGroup(view)) return tree.total[view.node];
	return groupMembers(tree, view).reduce((sum, c) => sum + tree.total[c], 0);
}

// From the root down; a group's own node is one of them, a plain view's is not.
export function ancestorsOf(tree, view) {
	const nodes = [];
	let node = isGroup(view) ? view.node : tree.parent[view.node];
	for (; node >= 0; node = tree.parent[node]) nodes.push(node);
	return nodes.reverse();
}

export function viewKey(view) {
	return isGroup(view) ? `${view.node}.${view.from}-${view.to}` : String(view.node);
}

// Next wider view: a group's node, or the nearest ancestor that has more samples.
export function widerView(tree, view) {
	if (isGroup(view)) return { node: view.node };
	let node = view.node;
	while (node > 0 && tree.total[node] === tree.total[view.node]) node = tree.parent[node];
	return { node: Math.max(node, 0) };
}

function restItem(tree, node, from, to, members, x, scale, level) {
	let samples = 0;
	let frames = 0;
	for (const c of members) {
		samples += tree.total[c];
		frames += tree.end[c] - c;
	}
	return {
		key: viewKey({ node, from, to }),
		node,
		from,
		to,
		rest: true,
		members,
		x,
		level,
		width: samples * scale,
		samples,
		frames,
	};
}

// All are too narrow even at full width: cut the group up, so that zooming in gets somewhere.
function chunkItems(tree, view, scale, level) {
	const size = Math.ceil((view.to - view.from) / CHUNKS);
	const items = [];
	let x = 0;
	for (let from = view.from; from < view.to; from += size) {
		const to = Math.min(from + size, view.to);
		const members = rankedChildren(tree, view.node).slice(from, to);
		const item = restItem(tree, view.node, from, to, members, x, scale, level);
		x += item.width;
		items.push(item);
	}
	return items;
}

// Returns rows[level] = items from left to right, each { key, node, x, width, level, samples } and
// `above` for ancestors of the view or `rest`, `from`, `to`, `frames`, `members` for a pool.
export function layout(tree, view, width, leastPx) {
	const rows = [];
	const total = viewTotal(tree, view);
	const scale = total ? width / total : 0;
	const least = scale ? leastPx / scale : Infinity;
	const add = (item) => (rows[item.level] ||= []).push(item);
	const pending = [];

	const placeNode = (node, x) => {
		const samples = tree.total[node];
		add({
			key: String(node),
			node,
			x,
			width: node === 0 ? width : samples * scale,
			level: tree.depth[node],
			samples,
		});
		pending.push(node, x);
	};
	const placeChildren = (node, x, members, from, to) => {
		const level = tree.depth[node] + 1;
		const narrow = [];
		const placed = [];
		for (const c of members) {
			if (tree.total[c] < least) {
				narrow.push(c);
				continue;
			}
			placed.push(c, x);
			x += tree.total[c] * scale;
		}
		// children to the row now, their own children later, left to right
		for (let i = 0; i < placed.length; i += 2) {
			const c = placed[i];
			add({
				key: String(c),
				node: c,
				x: placed[i + 1],
				width: tree.total[c] * scale,
				level,
				samples: tree.total[c],
			});
		}
		for (let i = placed.length - 2; i >= 0; i -= 2) pending.push(placed[i], placed[i + 1]);
		if (!narrow.length) return;
		const rest = restItem(tree, node, from + placed.length / 2, to, narrow, x, scale, level);
		if (rest.width >= leastPx) add(rest);
	};

	for (const node of ancestorsOf(tree, view))
		add({
			key: String(node),
			node,
			x: 0,
			width,
			level: tree.depth[node],
			samples: tree.total[node],
			above: true,
		});
	if (!isGroup(view)) {
		placeNode(view.node, 0);
	} else {
		const members = groupMembers(tree, view);
		if (members.every((c) => tree.total[c] < least))
			chunkItems(tree, view, scale, tree.depth[view.node] + 1).forEach(add);
		else placeChildren(view.node, 0, members, view.from, view.to);
	}
	while (pending.length) {
		const x = pending.pop();
		const node = pending.pop();
		const children = childrenOf(tree, node);
		if (children.length) placeChildren(node, x, children, 0, children.length);
	}
	// a row is filled parent by parent, leftmost first; levels that nothing reaches stay empty
	for (let level = 0; level < rows.length; level++) rows[level] ||= [];
	return rows;
}
