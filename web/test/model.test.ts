// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INITIAL, type State } from '../src/app/state.js';
import type { Capture } from '../src/data/capture.js';
import { joinCaptures } from '../src/data/join.js';
import { interval } from '../src/model/certainty.js';
import { commonDepths, framesOf } from '../src/model/common.js';
import { binCounts } from '../src/model/heat.js';
import { fileHeat, lineHeat } from '../src/model/lines.js';
import { modeMask, rangeOf, rowsIn } from '../src/model/samples.js';
import { Shower } from '../src/model/show.js';
import { makeCapture } from './make.js';
import { makeRandom, randomCapture, randomState } from './random.js';
import { slowly } from './slow.js';

const state = (patch: Partial<State>): State => ({ ...INITIAL, ...patch });
const oneThread = (...samples: string[]): Capture => makeCapture({ threads: [{ samples }] });
const fileRow = (c: Capture, file: string): number => c.strings.indexOf(file);

test('modes', () => {
	const states = (mode: State['mode'], flags: number): number[] =>
		[0, 1, 2, 3, 4].filter((value) => modeMask(mode)[(value << 6) | flags] === 1);
	assert.deepEqual(states('wall', 16), [0, 1, 2, 3, 4]);
	assert.deepEqual(states('cpu', 1), [1, 2]);
	assert.deepEqual(states('idle', 1), [0, 3, 4]);
	assert.deepEqual(states('gil', 1 | 4), [0, 1, 2, 3, 4]);
	assert.deepEqual(states('gil', 2), []);
});

test('rows in a range', () => {
	const c = makeCapture({
		threads: [
			{ samples: ['a', 'a', 'a ! @5', 'a ! @5', 'a ! @9'] },
			{ samples: [] },
			{ samples: ['b ! @2'] },
		],
	});
	const rows = (thread: number, from: number, to: number): number[] =>
		rowsIn(c, thread, { from: from * 1e6, to: to * 1e6 });
	assert.deepEqual(rows(0, 0, 5), [0, 2]);
	assert.deepEqual(rows(0, 5, 6), [2, 4]);
	assert.deepEqual(rows(0, 5.5, 8), [4, 4]);
	assert.deepEqual(rows(0, 8, 3), [4, 4]);
	assert.deepEqual(rows(0, -5, 99), [0, 5]);
	assert.deepEqual(rows(1, 0, 9), [5, 5]);
	assert.deepEqual(rows(2, 2, 2.5), [5, 6]);
	assert.deepEqual(rangeOf(c, state({})), { from: 0, to: 10e6 });
	const range = { from: 1, to: 2 };
	assert.equal(rangeOf(c, state({ ranges: [{ from: 0, to: 9 }, range] })), range);
});

test('the interval of a share', () => {
	// Wilson's score interval, worked out by hand
	const { low, high } = interval(3, 100);
	assert.ok(Math.abs(low - 0.01025) < 1e-4 && Math.abs(high - 0.08452) < 1e-4);
	assert.deepEqual(interval(0, 0), { low: 0, high: 1 });
	assert.equal(interval(0, 10).low, 0);
	assert.ok(interval(0, 10).high > 0.2);
	assert.equal(interval(10, 10).high, 1);
	for (const [count, sum] of [
		[1, 2],
		[5, 1e6],
		[999, 1000],
		[0.5, 0.7],
		[7, 5],
	]) {
		const at = interval(count, sum);
		const share = Math.min(1, count / sum);
		assert.ok(0 <= at.low && at.low <= share && share <= at.high && at.high <= 1);
	}
});

test('the common base of stacks', () => {
	const c = oneThread('main;a;x', 'main;a;y', 'main;b', 'other', 'main;a;x;z', 'a;x');
	const { stacks, samples } = c;
	const common = commonDepths(stacks, samples.stack[0]);
	assert.deepEqual(
		[...samples.stack].map((stack) => common[stack]),
		[3, 2, 1, 0, 3, 0],
	);
	assert.ok(commonDepths(stacks, -1).every((depth) => depth === 0));
	for (let seed = 1; seed <= 30; seed++) {
		const random = randomCapture(makeRandom(seed));
		for (let s = 0; s < random.stacks.count; s += 3) {
			const all = commonDepths(random.stacks, s);
			const own = framesOf(random.stacks, s);
			for (let t = 0; t < random.stacks.count; t++) {
				const other = framesOf(random.stacks, t);
				const apart = own.findIndex((frame, i) => frame !== other[i]);
				assert.equal(all[t], apart < 0 ? own.length : apart);
			}
		}
	}
});

test('heat of lines: recursion counts once, functions may share a line', () => {
	const c = oneThread('main:1;f:5;f:5', 'main:1;f:5;lambda:5;f:6', 'main:1;g@x.py:5', 'main:2');
	const shown = new Shower(c, null).show(state({ granularity: 'modules' }));
	const heat = lineHeat(c, shown, state({}), fileRow(c, 'app.py'));
	assert.deepEqual([...heat.self].sort(), [
		[2, 1],
		[5, 1],
		[6, 1],
	]);
	assert.deepEqual([...heat.total].sort(), [
		[1, 3],
		[2, 1],
		[5, 2],
		[6, 1],
	]);
	assert.equal(heat.beforeSelf, null);
	assert.deepEqual(fileHeat(c, shown, state({})), [
		{ file: fileRow(c, 'app.py'), self: 3, total: 4 },
		{ file: fileRow(c, 'x.py'), self: 1, total: 1 },
	]);
});

test('heat of lines of random selections is as a slow model has it', () => {
	for (let seed = 1; seed <= 150; seed++) {
		const random = makeRandom(seed);
		const c = randomCapture(random);
		const s = { ...randomState(random, c), transforms: [] };
		const shown = new Shower(c, null).show(s);
		const all = slowly(c, { ...s, granularity: 'lines' }, s.ranges[0] ?? null);
		for (const file of c.places.keys()) {
			const self = new Map<number, number>();
			const total = new Map<number, number>();
			for (const { frames, weight } of all.samples) {
				const own = frames.map((f) => (c.functions.file[f.func] === file ? f.line : null));
				const last = own.at(-1);
				if (last != null && weight) self.set(last, (self.get(last) ?? 0) + weight);
				for (const line of new Set(own)) {
					if (line !== null && weight) total.set(line, (total.get(line) ?? 0) + weight);
				}
			}
			const heat = lineHeat(c, shown, s, file);
			assert.deepEqual([...heat.self].sort(), [...self].sort());
			assert.deepEqual([...heat.total].sort(), [...total].sort());
		}
	}
});

test('heat leaves out what a transform drops, and has both sides', () => {
	const c = oneThread('main:1;f:5', 'main:1;g:9', 'main:1;f:6');
	const f = [...c.functions.name].findIndex((name) => c.strings[name] === 'g');
	const s = state({
		transforms: [{ kind: 'drop', func: f }],
		ranges: [{ from: 0, to: 2e6 }],
		compare: { from: 2e6, to: 3e6 },
	});
	const heat = lineHeat(c, new Shower(c, null).show(s), s, fileRow(c, 'app.py'));
	assert.deepEqual(
		[...heat.total],
		[
			[1, 1],
			[5, 1],
		],
	);
	assert.deepEqual([...(heat.beforeSelf ?? [])], [[6, 1]]);
});

test('bins of time', () => {
	const c = makeCapture({
		threads: [
			{ samples: ['a ! @0 cpu', 'a ! @10 wait', 'a ! @19.9', 'b ! @25 x4', 'a ! @40'] },
			{ samples: ['b ! @11'] },
		],
	});
	const ms = 1e6;
	const bins = (patch: Partial<State>, stackOf?: Int32Array): number[] => [
		...binCounts(c, state(patch), 10 * ms, 0, 40 * ms, stackOf),
	];
	assert.deepEqual(bins({}), [1, 3, 4, 0]);
	assert.deepEqual(bins({ mode: 'cpu' }), [1, 2, 4, 0]);
	assert.deepEqual(bins({ tracks: { ...INITIAL.tracks, hidden: [1] } }), [1, 2, 4, 0]);
	const b = [...c.functions.name].findIndex((name) => c.strings[name] === 'b');
	const shown = new Shower(c, null).show(state({ transforms: [{ kind: 'drop', func: b }] }));
	assert.deepEqual(bins({}, shown.stackOf), [1, 2, 0, 0]);
	assert.deepEqual([...binCounts(c, state({}), 10 * ms, 5 * ms, 27 * ms)], [2, 1, 4]);
	assert.equal(binCounts(c, state({}), 10, 5, 5).length, 0);
});

function leaves(c: Capture): string[] {
	return [...c.samples.stack].map((stack) =>
		framesOf(c.stacks, stack)
			.map((frame) => {
				const func = c.frames.func[frame];
				const name = c.strings[c.functions.name[func]];
				return `${name}@${c.strings[c.functions.file[func]]}:${c.frames.line[frame]}`;
			})
			.join(';'),
	);
}

test('joined captures have one set of tables and say what they said', () => {
	for (let seed = 1; seed <= 60; seed++) {
		const now = randomCapture(makeRandom(seed));
		const before = randomCapture(makeRandom(seed + 1000));
		const joined = joinCaptures(now, before);
		for (const table of ['strings', 'functions', 'frames', 'stacks'] as const) {
			assert.equal(joined.now[table], joined.before[table]);
		}
		assert.deepEqual(leaves(joined.now), leaves(now));
		assert.deepEqual(leaves(joined.before), leaves(before));
		assert.equal(joined.now.samples, now.samples, 'its rows stay');
		const { stacks } = joined.now;
		stacks.parent.forEach((parent, s) => {
			assert.ok(parent < s);
		});
		const texts = [...stacks.parent].map((parent, s) => `${parent} ${stacks.frame[s]}`);
		assert.equal(new Set(texts).size, stacks.count, 'equal stacks are one');
	}
});

test('functions that moved within their file are the same', () => {
	const at = (lines: Record<string, number>, ...samples: string[]): Capture =>
		makeCapture({ threads: [{ samples }], firstLines: lines });
	const now = at({ f: 10, g: 1 }, 'f', 'g', 'h@/home/a/x.py');
	const before = at({ f: 12, g: 1 }, 'g', 'f', 'new');
	const joined = joinCaptures(now, before);
	assert.equal(joined.now.functions.count, 4);
	assert.equal(joined.before.samples.stack[1], joined.now.samples.stack[0]);
	assert.equal(joined.before.samples.stack[0], joined.now.samples.stack[1]);
});

test('a file that lies elsewhere is the same by its short name', () => {
	const at = (home: string, ...functions: string[]): Capture =>
		makeCapture({
			threads: [{ samples: functions.map((f) => `${f}@${home}/x.py:3`) }],
			places: { [`${home}/x.py`]: { short: 'x.py', module: 'x', kind: 'own' } },
		});
	const { now, before } = joinCaptures(at('/a', 'f', 'g'), at('/b', 'old', 'f'));
	const shown = new Shower(now, before).show(state({}));
	const heat = lineHeat(now, shown, state({}), fileRow(now, '/a/x.py'));
	assert.deepEqual([...heat.total], [[3, 2]]);
	assert.deepEqual([...(heat.beforeTotal ?? [])], [[3, 2]]);
	assert.equal(new Set(now.functions.file).size, 1);
});

test('threads of a baseline are hidden with all of their namesakes', () => {
	const now = makeCapture({
		threads: [
			{ name: 'main', samples: ['a'] },
			{ name: 'pool', samples: ['a'] },
			{ name: 'pool', samples: ['a'] },
		],
	});
	const before = makeCapture({
		threads: [
			{ name: 'pool', samples: ['a', 'a'] },
			{ name: 'other', samples: ['a'] },
		],
	});
	const joined = joinCaptures(now, before);
	const shower = new Shower(joined.now, joined.before);
	const sum = (...hidden: number[]): number | undefined =>
		shower.show(state({ tracks: { ...INITIAL.tracks, hidden } })).before?.sum;
	assert.equal(sum(), 3);
	assert.equal(sum(1), 3);
	assert.equal(sum(1, 2), 1);
	assert.equal(sum(0), 3);
});
