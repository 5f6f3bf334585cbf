// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL, type State } from '../src/app/state.js';
import { type Capture, NONE } from '../src/data/capture.js';
import { joinCaptures } from '../src/data/join.js';
import { Shower } from '../src/model/show.js';
import type { Shown } from '../src/model/shown.js';
import { makeSandwich, makeTree, type Tree } from '../src/model/tree.js';
import { makeCapture } from './make.js';
import { makeRandom, randomCapture, randomState } from './random.js';
import { type Sample, type Sums, slowly, sumPaths } from './slow.js';

const state = (patch: Partial<State>): State => ({ ...INITIAL, ...patch });

function nameOf(shown: Shown, frame: number): string {
	const { tables } = shown;
	const line = tables.frameLine[frame];
	return tables.funcName[tables.frameFunc[frame]] + (line ? `:${line}` : '');
}

/** Each node on a line, as deep as it is indented: "name total self @start". */
function draw(shown: Shown, tree: Tree): string[] {
	const lines: string[] = [];
	const visit = (node: number): void => {
		const name = node === 0 ? 'all' : nameOf(shown, tree.frame[node]);
		const indent = '  '.repeat(tree.depth[node]);
		const before = tree.before ? ` was ${tree.before[node]}` : '';
		const sums = `${tree.total[node]} ${tree.self[node]}`;
		lines.push(`${indent}${name} ${sums} @${tree.start[node]}${before}`);
		for (let c = tree.firstChild[node]; c !== NONE; c = tree.nextSibling[c]) {
			assert.equal(tree.parent[c], node);
			visit(c);
		}
	};
	visit(0);
	assert.equal(lines.length, tree.count);
	return lines;
}

const oneThread = (...samples: string[]): Capture => makeCapture({ threads: [{ samples }] });

function drawn(c: Capture, inverted: boolean, patch: Partial<State> = {}): string[] {
	const shown = new Shower(c, null).show(state(patch));
	return draw(shown, makeTree(shown, inverted));
}

test('children lie below their caller, the heaviest first', () => {
	const c = oneThread('main;a', 'main;b', 'main;b;c', 'main', 'other');
	assert.deepEqual(drawn(c, false), [
		'all 5 0 @0',
		'  main 4 1 @0',
		'    b 2 1 @0',
		'      c 1 1 @0',
		'    a 1 1 @2',
		'  other 1 1 @4',
	]);
});

test('inverted, callers lie above what they call', () => {
	const c = oneThread('main;a;x', 'main;b;x', 'main;b;x', 'x', 'main');
	assert.deepEqual(drawn(c, true), [
		'all 5 0 @0',
		'  x 4 1 @0',
		'    b 2 0 @0',
		'      main 2 2 @0',
		'    a 1 0 @2',
		'      main 1 1 @2',
		'  main 1 1 @4',
	]);
});

test('what has no samples in the range is no node', () => {
	const c = oneThread('main;a', 'main;b');
	assert.deepEqual(drawn(c, false, { ranges: [{ from: 0, to: 1e6 }] }), [
		'all 1 0 @0',
		'  main 1 0 @0',
		'    a 1 1 @0',
	]);
	assert.deepEqual(drawn(c, false, { ranges: [{ from: 9e6, to: 9e6 }] }), ['all 0 0 @0']);
	assert.deepEqual(drawn(c, true, { mode: 'gil' }), ['all 0 0 @0']);
});

test('a comparison has nodes of both sides', () => {
	const c = oneThread('main;a', 'main;a', 'main;b', 'main;a;x');
	const patch = { ranges: [{ from: 0, to: 2e6 }], compare: { from: 2e6, to: 4e6 } };
	assert.deepEqual(drawn(c, false, patch), [
		'all 2 0 @0 was 2',
		'  main 2 0 @0 was 2',
		'    a 2 2 @0 was 1',
		'      x 0 0 @0 was 1',
		'    b 0 0 @2 was 1',
	]);
	assert.deepEqual(drawn(c, true, patch), [
		'all 2 0 @0 was 2',
		'  a 2 0 @0 was 0',
		'    main 2 2 @0 was 0',
		'  b 0 0 @2 was 1',
		'    main 0 0 @2 was 1',
		'  x 0 0 @2 was 1',
		'    a 0 0 @2 was 1',
		'      main 0 0 @2 was 1',
	]);
});

test('a sandwich begins at the outermost calls and sums up to the total', () => {
	const c = oneThread('main;f;g;f;h', 'main;a;f', 'main;f;g', 'main;a');
	const shown = new Shower(c, null).show(state({}));
	const { callees, callers } = makeSandwich(shown, shown.tables.funcName.indexOf('f'));
	assert.deepEqual(draw(shown, callees), [
		'all 3 0 @0',
		'  f 3 1 @0',
		'    g 2 1 @0',
		'      f 1 0 @0',
		'        h 1 1 @0',
	]);
	assert.deepEqual(draw(shown, callers), [
		'all 3 0 @0',
		'  f 3 0 @0',
		'    main 2 2 @0',
		'    a 1 0 @2',
		'      main 1 1 @2',
	]);
});

test('keys are the same in every range', () => {
	const c = oneThread('main;a', 'main;a', 'main;b', 'main;b', 'main;b');
	const shower = new Shower(c, null);
	const keyed = (patch: Partial<State>): Map<string, number> => {
		const shown = shower.show(state(patch));
		const tree = makeTree(shown, false);
		const keys = new Map<string, number>();
		for (let n = 1; n < tree.count; n++) keys.set(nameOf(shown, tree.frame[n]), tree.key[n]);
		return keys;
	};
	const all = keyed({});
	for (const [name, key] of keyed({ ranges: [{ from: 0, to: 3e6 }] })) {
		assert.equal(all.get(name), key);
	}
});

/** By path of names, as slow.ts has them. */
function treePaths(tree: Tree, names: readonly string[]): Sums {
	const sums: Sums = new Map();
	const paths: string[] = [];
	for (let n = 0; n < tree.count; n++) {
		const up = tree.parent[n];
		const own = n === 0 ? '' : names[tree.frame[n]];
		paths[n] = up > 0 ? `${paths[up]};${own}` : own;
		assert.ok(!sums.has(paths[n]), 'siblings differ');
		sums.set(paths[n], {
			self: tree.self[n],
			total: tree.total[n],
			shares: tree.shares.map((share) => share[n]),
		});
	}
	return sums;
}

/** Names of shown frames by the paths in which both have them: by their text, as made() and nameOf(). */
function frameTexts(c: Capture, shown: Shown): string[] {
	const { tables } = shown;
	return Array.from({ length: tables.frameCount }, (_, frame) => {
		const func = tables.frameFunc[frame];
		const own = tables.funcOwn[func];
		const name = own !== NONE ? c.strings[c.functions.name[own]] : tables.funcName[func];
		return `${own !== NONE ? own : name}:${tables.frameLine[frame]}`;
	});
}

/** Only functions and lines: places have names of their own in show.test.ts. */
const fine = (s: State): State => ({
	...s,
	granularity: s.granularity === 'lines' ? 'lines' : 'functions',
	transforms: s.transforms.filter((t) => t.kind !== 'library'),
});

const textsOf = (sample: Sample): string[] =>
	sample.frames.map((f) => `${Number.isNaN(f.func) ? f.name : f.func}:${f.line}`);

function check(got: Sums, wanted: Sums): void {
	const weighing = [...wanted].filter(([path, sum]) => sum.total > 0 || path === '');
	for (const [path, sum] of weighing) assert.deepEqual(got.get(path), sum, path);
	assert.equal(got.size, Math.max(1, weighing.length));
}

test('random trees are as a slow model has them', () => {
	for (let seed = 1; seed <= 300; seed++) {
		const random = makeRandom(seed);
		const c = randomCapture(random);
		const s = fine(randomState(random, c));
		const shown = new Shower(c, null).show(s);
		const names = frameTexts(c, shown);
		const { samples } = slowly(c, s, s.ranges[0] ?? null);
		if (samples.length === 0) continue;
		const down = samples.map((sample) => ({ keys: textsOf(sample), sample }));
		const up = samples.map((sample) => ({ keys: textsOf(sample).reverse(), sample }));
		check(treePaths(makeTree(shown, false), names), sumPaths(down));
		check(treePaths(makeTree(shown, true), names), sumPaths(up));
		checkSandwiches(shown, names, samples);
	}
});

function checkSandwiches(shown: Shown, names: string[], samples: readonly Sample[]): void {
	const { tables } = shown;
	for (let func = 0; func < tables.funcCount; func++) {
		const frames = names.filter((_, frame) => tables.frameFunc[frame] === func);
		const outermost = (keys: readonly string[]): number =>
			keys.findIndex((key) => frames.includes(key));
		const having = samples
			.map((sample) => ({ keys: textsOf(sample), sample }))
			.filter(({ keys }) => outermost(keys) >= 0);
		if (having.every(({ sample }) => sample.weight === 0)) continue;
		const { callees, callers } = makeSandwich(shown, func);
		const down = having.map(({ keys, sample }) => ({
			keys: keys.slice(outermost(keys)),
			sample,
		}));
		const up = having.map(({ keys, sample }) => ({
			keys: keys.slice(0, outermost(keys) + 1).reverse(),
			sample,
		}));
		check(treePaths(callees, names), sumPaths(down));
		check(treePaths(callers, names), sumPaths(up));
	}
}

test('siblings never get lighter to heavier, and fill their parent', () => {
	for (let seed = 1; seed <= 100; seed++) {
		const random = makeRandom(seed);
		const c = randomCapture(random);
		const shown = new Shower(c, null).show(randomState(random, c));
		for (const inverted of [false, true]) {
			const tree = makeTree(shown, inverted);
			for (let n = 1; n < tree.count; n++) {
				const next = tree.nextSibling[n];
				if (next === NONE) continue;
				assert.ok(tree.total[next] <= tree.total[n]);
				assert.equal(tree.start[next], tree.start[n] + tree.total[n]);
			}
		}
	}
});

test('callers that would be too many are pooled, and nothing is lost', () => {
	// each sample has a long way of its own below one leaf: 2000 x 1500 nodes
	const stacks: string[] = [];
	for (let i = 0; i < 2000; i++) {
		const way = Array.from({ length: 1500 }, (_, depth) => `r${i}:${depth + 1}`);
		stacks.push([...way, 'leaf'].join(';'));
	}
	const shown = new Shower(oneThread(...stacks), null).show(state({ granularity: 'lines' }));
	const tree = makeTree(shown, true);
	assert.ok(tree.count < 3_100_000, `${tree.count} nodes`);
	assert.equal(tree.sum, 2000);
	const selves = tree.self.reduce((sum, self) => sum + self, 0);
	assert.equal(selves, 2000);
	let pooled = 0;
	for (let n = 1; n < tree.count; n++) {
		if (nameOf(shown, tree.frame[n]) === '(more callers)') pooled += tree.total[n];
	}
	assert.ok(pooled > 0);
});

test('joined captures are compared frame by frame', () => {
	const now = oneThread('main;a', 'main;a', 'main;new');
	const before = makeCapture({ threads: [{ samples: ['main;old', 'main;a'] }], periodNs: 2e6 });
	const joined = joinCaptures(now, before);
	const shown = new Shower(joined.now, joined.before).show(state({}));
	assert.deepEqual(draw(shown, makeTree(shown, false)), [
		'all 3 0 @0 was 4',
		'  main 3 0 @0 was 4',
		'    a 2 2 @0 was 2',
		'    new 1 1 @2 was 0',
		'    old 0 0 @3 was 2',
	]);
	assert.equal(shown.before?.samples, 2, 'the periods of the baseline are twice as long');
});
