// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL, type State } from '../src/app/state.js';
import { type Capture, FunctionKind, NONE, Origin } from '../src/data/capture.js';
import { functionSums } from '../src/model/functions.js';
import { Shower } from '../src/model/show.js';
import type { Shown, ShownTables } from '../src/model/shown.js';
import { makeCapture } from './make.js';
import { makeRandom, randomCapture, randomState } from './random.js';
import { keyOf, type Slow, slowly, sumFunctions, sumPaths } from './slow.js';

const state = (patch: Partial<State>): State => ({ ...INITIAL, ...patch });

function funcNamed(c: Capture, name: string): number {
	for (let f = 0; f < c.functions.count; f++) {
		if (c.strings[c.functions.name[f]] === name) return f;
	}
	throw new Error(`no function ${name}`);
}

/** Stacks with self weight as text, root first. */
function folded(shown: Shown): Record<string, number> {
	const { tables, now } = shown;
	const out: Record<string, number> = {};
	for (let s = 0; s < tables.stackCount; s++) {
		if (now.self[s] === 0) continue;
		const frames: string[] = [];
		for (let at = s; at !== NONE; at = tables.stackParent[at]) {
			const frame = tables.stackFrame[at];
			const line = tables.frameLine[frame];
			frames.push(tables.funcName[tables.frameFunc[frame]] + (line ? `:${line}` : ''));
		}
		out[frames.reverse().join(';')] = now.self[s];
	}
	return out;
}

const shownOf = (c: Capture, patch: Partial<State>): Shown =>
	new Shower(c, null).show(state(patch));
const foldedOf = (c: Capture, patch: Partial<State>): Record<string, number> =>
	folded(shownOf(c, patch));
const oneThread = (...samples: string[]): Capture => makeCapture({ threads: [{ samples }] });

test('lines of a function are one frame, or one each', () => {
	const c = oneThread('main:1;work:5', 'main:1;work:6', 'main:2');
	assert.deepEqual(foldedOf(c, {}), { 'main;work': 2, main: 1 });
	assert.deepEqual(foldedOf(c, { granularity: 'lines' }), {
		'main:1;work:5': 1,
		'main:1;work:6': 1,
		'main:2': 1,
	});
});

test('files and modules: calls within one are one frame', () => {
	const c = oneThread(
		'main;a@/v/site-packages/req/x.py;b@/v/site-packages/req/x.py;c@/v/site-packages/req/y.py',
		'main;work;x@',
	);
	assert.deepEqual(foldedOf(c, { granularity: 'files' }), {
		'app.py;req/x.py;req/y.py': 1,
		'app.py;(no file)': 1,
	});
	const shown = shownOf(c, { granularity: 'modules' });
	assert.deepEqual(folded(shown), { 'app;req': 1, 'app;(no file)': 1 });
	const { tables } = shown;
	const req = tables.funcName.indexOf('req');
	assert.equal(tables.funcOrigin[req], Origin.Package);
	assert.equal(tables.funcKind[req], FunctionKind.Place);
	assert.equal(tables.funcModule[req], 'req');
	assert.equal(tables.funcOwn[req], NONE);
});

test('a package and own code of one name are two modules', () => {
	const c = oneThread('a@req/x.py;b@/v/site-packages/req/x.py');
	assert.deepEqual(foldedOf(c, { granularity: 'modules' }), { 'req;req': 1 });
});

test('focus begins stacks at the outermost call and leaves out those without one', () => {
	const c = oneThread('main;work;leaf;work', 'main;other', 'work');
	const shown = shownOf(c, { transforms: [{ kind: 'focus', func: funcNamed(c, 'work') }] });
	assert.deepEqual(folded(shown), { 'work;leaf;work': 1, work: 1 });
	assert.equal(shown.leftOut, 1);
	assert.equal(shown.now.sum, 2);
});

test('threads as roots stay below what is focused on', () => {
	const c = oneThread('#Main;main;work', '#Main;main');
	const transforms = [{ kind: 'focus', func: funcNamed(c, 'work') }] as const;
	assert.deepEqual(foldedOf(c, { transforms }), { 'Main;work': 1 });
});

test('only and drop', () => {
	const c = oneThread('main;work;leaf', 'main;other', 'work');
	const func = funcNamed(c, 'work');
	assert.deepEqual(foldedOf(c, { transforms: [{ kind: 'only', func }] }), {
		'main;work;leaf': 1,
		work: 1,
	});
	assert.deepEqual(foldedOf(c, { transforms: [{ kind: 'drop', func }] }), { 'main;other': 1 });
});

test('what merging empties is hidden, but counted', () => {
	const c = oneThread('main;work;leaf', 'main', '#T;main', 'main;(truncated)');
	const shown = shownOf(c, { transforms: [{ kind: 'merge', func: funcNamed(c, 'main') }] });
	assert.deepEqual(folded(shown), {
		'work;leaf': 1,
		'(hidden)': 1,
		'T;(hidden)': 1,
		'(truncated)': 1,
	});
	assert.equal(shown.leftOut, 0);
	const { tables } = shown;
	assert.ok(!tables.funcName.includes('main'), 'functions that are not shown have no row');
	assert.equal(tables.funcKind[tables.funcName.indexOf('(hidden)')], FunctionKind.Mark);
});

test('recursion keeps the innermost line', () => {
	const c = oneThread('main;f:1;f:2;g;f:3;f:4', 'g;g');
	const granularity = 'lines';
	const transforms = [{ kind: 'recursion', func: funcNamed(c, 'f') }] as const;
	assert.deepEqual(foldedOf(c, { granularity, transforms }), { 'main;f:2;g;f:4': 1, 'g;g': 1 });
	assert.deepEqual(foldedOf(c, { granularity, transforms: [{ kind: 'recursion', func: NONE }] }), {
		'main;f:2;g;f:4': 1,
		g: 1,
	});
});

test('a library is one frame, other modules stay as they are', () => {
	const c = oneThread(
		'main;a@/v/site-packages/req/x.py;b@/v/site-packages/req/y.py;main;b@/v/site-packages/req/y.py',
	);
	const shown = shownOf(c, { transforms: [{ kind: 'library', module: 'req' }] });
	assert.deepEqual(folded(shown), { 'main;req;main;req': 1 });
});

test('steps are taken in their order', () => {
	const c = oneThread('main;f;g;f');
	const merge = { kind: 'merge', func: funcNamed(c, 'g') } as const;
	const recursion = { kind: 'recursion', func: NONE } as const;
	assert.deepEqual(foldedOf(c, { transforms: [merge, recursion] }), { 'main;f': 1 });
	assert.deepEqual(foldedOf(c, { transforms: [recursion, merge] }), { 'main;f;f': 1 });
});

test('a path keeps what begins with it', () => {
	const c = oneThread('main;f;g', 'main;g', 'f;main;f');
	const funcs = [funcNamed(c, 'main'), funcNamed(c, 'f')];
	const shown = shownOf(c, { transforms: [{ kind: 'path', funcs }] });
	assert.deepEqual(folded(shown), { 'main;f;g': 1 });
	assert.equal(shown.leftOut, 2);
});

test('a range has its beginning but not its end, and the end of the capture', () => {
	const c = oneThread('a', 'b', 'c', 'd');
	assert.deepEqual(foldedOf(c, { ranges: [{ from: 1e6, to: 3e6 }] }), { b: 1, c: 1 });
	assert.deepEqual(foldedOf(c, { ranges: [{ from: 3e6, to: 4e6 }] }), { d: 1 });
	assert.deepEqual(
		foldedOf(c, {
			ranges: [
				{ from: 0, to: 4e6 },
				{ from: 2e6, to: 2e6 + 1 },
			],
		}),
		{
			c: 1,
		},
	);
	const moments = makeCapture({ threads: [{ samples: ['a', 'b'] }], durationNs: 1e6 });
	assert.deepEqual(foldedOf(moments, { ranges: [{ from: 1e6, to: 1e6 }] }), { b: 1 });
	assert.deepEqual(foldedOf(moments, {}), { a: 1, b: 1 });
});

test('hidden threads and what modes leave out', () => {
	const c = makeCapture({
		threads: [
			{ samples: ['a ! cpu gil', 'a ! wait', 'a ! ready'] },
			{ samples: ['b ! cpu', 'b ! unknown'] },
		],
	});
	const tracks = { ...INITIAL.tracks, hidden: [1] };
	const shown = shownOf(c, { tracks });
	assert.deepEqual(folded(shown), { a: 3 });
	assert.equal(shown.leftOut, 2);
	assert.equal(shownOf(c, { tracks, mode: 'cpu' }).leftOut, 1);
	assert.deepEqual(foldedOf(c, { mode: 'cpu' }), { a: 2, b: 1 });
	assert.deepEqual(foldedOf(c, { mode: 'idle' }), { a: 1, b: 1 });
	assert.deepEqual(foldedOf(c, { mode: 'gil' }), { a: 1 });
	assert.deepEqual(
		shownOf(c, {}).now.shares.map((share) => [...share]),
		[
			[1, 1],
			[1, 0],
			[1, 0],
			[0, 1],
		],
	);
});

test('the same selection is the same object, whatever else changes', () => {
	const shower = new Shower(oneThread('main;a', 'main;b'), null);
	const first = shower.show(state({}));
	assert.equal(shower.show(state({ view: 'table', colouring: 'file', ranges: [] })), first);
	const other = shower.show(state({ mode: 'cpu' }));
	assert.notEqual(other, first);
	assert.equal(other.tables, first.tables, 'tables do not depend on the samples');
	assert.equal(other.stackOf, first.stackOf);
	assert.equal(shower.show(state({})), first, 'going back');
});

test('samples that count more than themselves', () => {
	const threads = [{ samples: ['a ! x8', 'b ! x1', 'b ! x1'] }];
	const counts = shownOf(makeCapture({ threads }), {});
	assert.equal(counts.now.sum, 10);
	assert.equal(counts.now.samples, 10);
	const bytes = shownOf(makeCapture({ threads, unit: 'bytes' }), {});
	assert.equal(bytes.now.sum, 10);
	assert.equal(bytes.now.samples, 100 / 66, '(sum)^2 / sum of squares');
});

test('two ranges are compared if there is no baseline', () => {
	const c = oneThread('a', 'a', 'b');
	const shown = shownOf(c, {
		ranges: [{ from: 0, to: 2e6 }],
		compare: { from: 2e6, to: 3e6 },
	});
	assert.deepEqual([...shown.now.self], [2, 0]);
	assert.deepEqual([...(shown.before?.self ?? [])], [0, 1]);
	assert.equal(shownOf(c, {}).before, null);
});

interface Got {
	self: number;
	total: number;
	shares: number[];
}

/** What the slow model calls a function. */
function slowName(c: Capture, t: ShownTables, func: number): string {
	if (t.funcOwn[func] !== NONE) return `f${t.funcOwn[func]}`;
	if (t.funcKind[func] === FunctionKind.Mark) return t.funcName[func];
	const origin = ['own', 'package', 'stdlib'][t.funcOrigin[func]];
	if (t.funcFile[func] === '') return `m${origin} ${t.funcModule[func]}`;
	for (const [file, place] of c.places) {
		if (place.short === t.funcFile[func] && place.kind === origin) return `p${file}`;
	}
	throw new Error(`no file ${t.funcFile[func]}`);
}

function paths(c: Capture, shown: Shown): Map<string, Got> {
	const { tables: t, now } = shown;
	const names: string[] = [];
	const out = new Map<string, Got>();
	const sums = now.shares.map((share) => {
		const all = share.slice();
		for (let s = all.length; s-- > 0; ) {
			if (t.stackParent[s] !== NONE) all[t.stackParent[s]] += all[s];
		}
		return all;
	});
	for (let s = 0; s < t.stackCount; s++) {
		const frame = t.stackFrame[s];
		const up = t.stackParent[s];
		const own = `${slowName(c, t, t.frameFunc[frame])}:${t.frameLine[frame]}`;
		names[s] = up === NONE ? own : `${names[up]};${own}`;
		assert.ok(!out.has(names[s]), 'equal stacks are one');
		assert.equal(t.stackDepth[s], up === NONE ? 1 : t.stackDepth[up] + 1);
		out.set(names[s], {
			self: now.self[s],
			total: now.total[s],
			shares: sums.map((all) => all[s]),
		});
	}
	return out;
}

function checkStacks(c: Capture, shown: Shown, slow: Slow): void {
	const wanted = sumPaths(
		slow.samples.map((sample) => ({ keys: sample.frames.map(keyOf), sample })),
	);
	wanted.delete('');
	const got = paths(c, shown);
	for (const [path, sums] of wanted) assert.deepEqual(got.get(path), sums, path);
	for (const [path, sums] of got) if (sums.total !== 0) assert.ok(wanted.has(path), path);
	const sum = slow.samples.reduce((all, sample) => all + sample.weight, 0);
	assert.equal(shown.now.sum, sum);
	assert.equal(shown.leftOut, slow.leftOut);
}

function checkFunctions(c: Capture, shown: Shown, slow: Slow): void {
	const wanted = sumFunctions(slow.samples);
	const { self, total } = functionSums(shown);
	for (let f = 0; f < shown.tables.funcCount; f++) {
		const sums = wanted.get(slowName(c, shown.tables, f)) ?? [0, 0];
		assert.deepEqual([self[f], total[f]], sums, shown.tables.funcName[f]);
	}
}

test('random selections of random captures are as a slow model has them', () => {
	for (let seed = 1; seed <= 400; seed++) {
		const random = makeRandom(seed);
		const c = randomCapture(random);
		const shower = new Shower(c, null);
		for (let i = 0; i < 6; i++) {
			const s = randomState(random, c);
			const shown = shower.show(s);
			const slow = slowly(c, s, s.ranges[0] ?? null);
			checkStacks(c, shown, slow);
			checkFunctions(c, shown, slow);
		}
	}
});

test('dragging a range gives what a fresh look gives', () => {
	for (let seed = 1; seed <= 60; seed++) {
		const random = makeRandom(seed);
		const c = randomCapture(random);
		const shower = new Shower(c, null);
		let [from, to] = [0, 10e6];
		for (let i = 0; i < 30; i++) {
			from += (random(5) - 2) * 1e6;
			to = Math.max(from, to + (random(7) - 2) * 1e6);
			const s = state({ ranges: [{ from, to }], tracks: { ...INITIAL.tracks, hidden: [2] } });
			const moved = shower.show(s);
			const fresh = new Shower(c, null).show(s);
			assert.deepEqual(moved.now, fresh.now);
			assert.equal(moved.leftOut, fresh.leftOut);
		}
	}
});
