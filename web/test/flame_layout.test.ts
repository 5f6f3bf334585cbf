// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE } from '../src/data/capture.js';
import type { Boxes, Shape } from '../src/draw/layout.js';
import { between, boxAt, emptyBoxes, layOut, makeShape } from '../src/draw/layout.js';
import { goneShare } from '../src/views/flame.js';
import { moveFocus } from '../src/views/flame_keys.js';
import {
	matchNodes,
	nodePlace,
	nodesOfStack,
	outwards,
	pathTo,
	resolvePath,
	spanOf,
	stackOfNode,
} from '../src/views/flame_path.js';
import { nodeOf, shownOf, treeOf } from './flame_trees.js';

const LINES = ['main;work;inner 50', 'main;work 20', 'main;idle 20', 'other 10'];

function laid(shape: Shape, width = 1000, least = 2, window = spanOf(shape, nodePlace(0))): Boxes {
	const boxes = emptyBoxes();
	layOut(shape, window, width, least, boxes);
	return boxes;
}

function rowsOf(boxes: Boxes): [number, number, number, number][] {
	return Array.from({ length: boxes.count }, (_, i): [number, number, number, number] => [
		boxes.depth[i],
		boxes.x[i],
		boxes.width[i],
		boxes.more[i],
	]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

test('boxes are as wide as their share, children above their parents', () => {
	const boxes = laid(makeShape(treeOf(shownOf(LINES)), 'now'));
	assert.deepEqual(rowsOf(boxes), [
		[0, 0, 1000, 0],
		[1, 0, 900, 0],
		[1, 900, 100, 0],
		[2, 0, 700, 0],
		[2, 700, 200, 0],
		[3, 0, 500, 0],
	]);
	assert.equal(boxAt(boxes, 710, 2), boxAt(boxes, 899, 2));
	assert.equal(boxAt(boxes, 910, 2), -1);
	assert.equal(boxAt(boxes, 10, 4), -1);
});

test('zooming shows a node and what it is in over the whole width', () => {
	const shown = shownOf(LINES);
	const shape = makeShape(treeOf(shown), 'now');
	const node = nodeOf(shown, shape.tree, 'main', 'work');
	const boxes = laid(shape, 1000, 2, spanOf(shape, nodePlace(node)));
	const rows = rowsOf(boxes);
	assert.deepEqual(rows.slice(0, 3), [
		[0, 0, 1000, 0],
		[1, 0, 1000, 0],
		[2, 0, 1000, 0],
	]);
	assert.equal(rows.length, 4);
	assert.ok(Math.abs(rows[3][2] - 1000 * (5 / 7)) < 1e-3);
});

test('narrow siblings are pooled: nothing gets lost', () => {
	const lines = ['main;wide 9000', ...Array.from({ length: 30 }, (_, i) => `main;f${i} 1`)];
	const shape = makeShape(treeOf(shownOf(lines)), 'now');
	const boxes = laid(shape, 903, 2);
	const pool = [...Array(boxes.count).keys()].filter((i) => boxes.more[i] > 0);
	assert.equal(pool.length, 1);
	assert.equal(boxes.more[pool[0]], 30);
	assert.equal(boxes.weight[pool[0]], 30);
	assert.equal(boxes.depth[pool[0]], 2);
	const weight = [...Array(boxes.count).keys()]
		.filter((i) => boxes.depth[i] === 2)
		.reduce((sum, i) => sum + boxes.weight[i], 0);
	assert.equal(weight, 9030);
});

test('a pool too small for a pixel is still seen', () => {
	const shape = makeShape(treeOf(shownOf(['main;wide 1000000', 'main;thin 1'])), 'now');
	const boxes = laid(shape, 500);
	const i = [...Array(boxes.count).keys()].find((b) => boxes.more[b] > 0);
	assert.ok(i !== undefined && boxes.width[i] >= 1);
});

test('every narrow frame is reached by zooming into pools, however many there are', () => {
	const count = 20_000;
	const lines = ['main;wide 100'];
	const shown = shownOf(lines);
	const base = treeOf(shown);
	// a flat tree: shownOf() would take long for so many
	const flat = flatTree(count);
	assert.equal(base.count, 3);
	const shape = makeShape(flat, 'now');
	const wanted = 12_345;
	let path: readonly number[] = [];
	for (let clicks = 0; clicks < 8; clicks++) {
		const boxes = laid(shape, 800, 2, spanOf(shape, resolvePath(flat, path)));
		const i = [...Array(boxes.count).keys()].find((b) => {
			const from = boxes.node[b];
			const to = boxes.last[b] === NONE ? count : boxes.last[b];
			return (
				boxes.depth[b] === 1 && from <= wanted && (boxes.more[b] ? wanted <= to : from === wanted)
			);
		});
		assert.ok(i !== undefined, 'it is in a box of the row');
		if (!boxes.more[i]) {
			assert.equal(boxes.node[i], wanted);
			assert.ok(clicks > 0 && clicks <= 4, `${clicks} clicks`);
			return;
		}
		path = pathTo(flat, { node: 0, pool: boxes.node[i], last: boxes.last[i] });
	}
	assert.fail('not reached');
});

function flatTree(count: number) {
	const n = count + 1;
	const ones = new Float64Array(n).fill(1);
	ones[0] = count;
	return {
		...treeOf(shownOf(['a 1'])),
		count: n,
		parent: new Int32Array(n).fill(0).fill(NONE, 0, 1),
		firstChild: new Int32Array(n).fill(NONE).fill(1, 0, 1),
		nextSibling: Int32Array.from({ length: n }, (_, i) => (i > 0 && i < count ? i + 1 : NONE)),
		frame: new Int32Array(n),
		key: Uint32Array.from({ length: n }, (_, i) => i),
		depth: new Uint16Array(n).fill(1).fill(0, 0, 1),
		self: new Float64Array(n).fill(1).fill(0, 0, 1),
		total: ones,
		start: Float64Array.from({ length: n }, (_, i) => Math.max(0, i - 1)),
		sum: count,
		maxDepth: 1,
	};
}

test('a zoom path leads back to its node, and as far as there are nodes', () => {
	const shown = shownOf(LINES);
	const { tree } = makeShape(treeOf(shown), 'now');
	const node = nodeOf(shown, tree, 'main', 'work', 'inner');
	const path = pathTo(tree, nodePlace(node));
	assert.equal(path.length, 3);
	assert.deepEqual(resolvePath(tree, path), nodePlace(node));
	assert.deepEqual(resolvePath(tree, [path[0], 9999]), nodePlace(nodeOf(shown, tree, 'main')));
	assert.deepEqual(resolvePath(tree, [9999]), nodePlace(0));
});

test('zooming out skips what looks the same', () => {
	const shown = shownOf(['a;b;c 10', 'a;x 5']);
	const shape = makeShape(treeOf(shown), 'now');
	const at = (...names: string[]) => nodePlace(nodeOf(shown, shape.tree, ...names));
	assert.deepEqual(outwards(shape, at('a', 'b', 'c')), at('a'));
	assert.deepEqual(outwards(shape, at('a', 'b')), at('a'));
	assert.deepEqual(outwards(shape, at('a')), nodePlace(0));
	const pool = { node: 3, pool: 4, last: NONE };
	assert.deepEqual(outwards(shape, pool), nodePlace(3));
});

test('frames nested in a match count once, whichever way the tree goes', () => {
	const shown = shownOf(['a;b;a 5', 'a;c 3', 'd;b;a 2', 'd 10']);
	const matches = new Uint8Array(shown.tables.funcCount);
	matches[shown.tables.funcName.indexOf('a')] = 1;
	for (const inverted of [false, true]) {
		const shape = makeShape(treeOf(shown, inverted), 'now');
		assert.equal(matchNodes(shape, shown.tables, matches).weight, 10);
	}
	const found = matchNodes(makeShape(treeOf(shown), 'now'), shown.tables, matches);
	assert.equal(found.nodes.length, 3);
	const { start } = treeOf(shown);
	assert.deepEqual(
		found.nodes.map((n) => start[n]),
		[...found.nodes.map((n) => start[n])].sort((x, y) => x - y),
	);
});

test('a node and its stack are found from each other', () => {
	const shown = shownOf(LINES);
	const tree = treeOf(shown);
	for (let node = 1; node < tree.count; node++) {
		const stack = stackOfNode(shown.tables, tree, node);
		assert.notEqual(stack, NONE);
		assert.equal(nodesOfStack(shown.tables, tree, stack).at(-1), node);
		assert.equal(shown.now.total[stack], tree.total[node]);
	}
	assert.equal(stackOfNode(shown.tables, tree, 0), NONE);
});

test('widths by before show what is gone, and how much that is', () => {
	const shown = shownOf(['main;new 60', 'main;both 40'], ['main;both 10', 'main;old;deep 30']);
	const tree = treeOf(shown);
	assert.equal(goneShare(tree), 0.75);
	assert.equal(goneShare(treeOf(shownOf(['a 1']))), 0);
	const shape = makeShape(tree, 'before');
	const old = nodeOf(shown, tree, 'main', 'old');
	const both = nodeOf(shown, tree, 'main', 'both');
	assert.equal(shape.value[old], 30);
	assert.equal(Math.abs(shape.start[old] - shape.start[both]), shape.start[old] ? 10 : 30);
	const boxes = laid(shape, 400);
	const drawn = new Set(Array.from(boxes.node.subarray(0, boxes.count)));
	assert.ok(drawn.has(old));
	assert.ok(!drawn.has(nodeOf(shown, tree, 'main', 'new')));
});

test('between two windows the way begins and ends at them, evenly by factors', () => {
	const [a, b] = [
		{ from: 0, to: 1000 },
		{ from: 500, to: 501 },
	];
	assert.deepEqual(between(a, b, 0), a);
	const end = between(a, b, 1);
	assert.ok(Math.abs(end.from - 500) < 1e-9 && Math.abs(end.to - 501) < 1e-9);
	const half = between(a, b, 0.5);
	assert.ok(Math.abs(half.to - half.from - Math.sqrt(1000)) < 1e-6);
	assert.ok(half.from > 0 && half.to < 1000);
	const pan = between({ from: 0, to: 10 }, { from: 20, to: 30 }, 0.25);
	assert.deepEqual(pan, { from: 5, to: 15 });
});

test('arrows lead along the tree, up or down as the root lies', () => {
	const shown = shownOf(LINES);
	const shape = makeShape(treeOf(shown), 'now');
	const at = (...names: string[]) => nodeOf(shown, shape.tree, ...names);
	const go = (node: number, key: string, top = false) =>
		moveFocus(shape, node, false, { key }, top, false);
	assert.equal(go(at('main'), 'ArrowUp'), at('main', 'work'));
	assert.equal(go(at('main'), 'ArrowDown', true), at('main', 'work'));
	assert.equal(go(at('main', 'work'), 'ArrowDown'), at('main'));
	assert.equal(go(at('main', 'work'), 'ArrowRight'), at('main', 'idle'));
	assert.equal(go(at('main', 'idle'), 'ArrowLeft'), at('main', 'work'));
	assert.equal(go(at('main', 'idle'), 'ArrowRight'), at('other'), 'on to the uncle');
	assert.equal(go(at('other'), 'ArrowRight'), NONE);
	assert.equal(go(at('other'), 'ArrowUp'), NONE);
	assert.equal(moveFocus(shape, 0, true, { key: 'ArrowUp' }, false, false), 0);
});
