// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Capture } from '../src/data/capture.js';
import { NONE } from '../src/data/capture.js';
import type { ShownTables } from '../src/model/shown.js';
import { fillImage, findRuns, makeColumns } from '../src/views/chart_columns.js';
import { layLanes } from '../src/views/chart_lanes.js';
import type { Lane } from '../src/views/chart_series.js';
import {
	callAt,
	joinIn,
	makeLane,
	placeFrom,
	placeOver,
	stackAt,
} from '../src/views/chart_series.js';
import { shownOf } from './flame_trees.js';

const MS = 1e6;

interface Made {
	readonly tables: ShownTables;
	readonly lane: Lane;
}

/** A lane of samples "a;b", one per millisecond; "a;b @12.5" is at that time; "-" is not shown. */
function laneOf(lines: readonly string[]): Made {
	const names = lines.map((line) => line.split(' @')[0]);
	const { tables } = shownOf(names.map((n) => `${n} 1`));
	const stackNamed = (text: string): number => {
		let stack = NONE;
		for (const name of text.split(';')) {
			const parent = stack;
			stack = tables.stackParent.findIndex(
				(p, s) => p === parent && tables.funcName[tables.frameFunc[tables.stackFrame[s]]] === name,
			);
		}
		return stack;
	};
	const timeNs = Float64Array.from(lines, (line, i) => Number(line.split(' @')[1] ?? i) * MS);
	const capture = {
		periodNs: MS,
		threads: [{ row: 0, first: 0, count: lines.length }],
		samples: {
			timeNs,
			stack: Uint32Array.from(names, stackNamed),
			state: new Uint8Array(lines.length).fill(1),
			flags: new Uint8Array(lines.length),
			weight: null,
		},
	} as unknown as Capture;
	const stackOf = Int32Array.from({ length: tables.stackCount }, (_, s) =>
		tables.stackDepth[s] === 1 && tables.funcName[tables.frameFunc[tables.stackFrame[s]]] === '-'
			? NONE
			: s,
	);
	return { tables, lane: makeLane(capture, tables, stackOf, new Uint8Array(512).fill(1), 0) };
}

function nameAt({ tables, lane }: Made, place: number, depth: number): string {
	const stack = stackAt(tables, lane.joined[0][place], depth);
	return stack === NONE ? '' : (tables.funcName[tables.frameFunc[tables.stackFrame[stack]]] ?? '');
}

/** Numbers that look random, the same each time. */
function makeRandom(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}

function randomLane(seed: number, count: number): Made {
	const random = makeRandom(seed);
	let time = 0;
	return laneOf(
		Array.from({ length: count }, () => {
			time += random(20) === 0 ? 5 : 0.8;
			const depth = random(4) + 1;
			const names = Array.from({ length: depth }, (_, d) => (random(5) ? `f${d}` : `g${d}`));
			return `${random(15) ? names.join(';') : '-'} @${time}`;
		}),
	);
}

test('what a stretch of samples begins with is what a look at each of them says', () => {
	const made = randomLane(7, 200);
	const { tables, lane } = made;
	const random = makeRandom(3);
	for (let i = 0; i < 2000; i++) {
		const from = random(lane.count);
		const to = from + 1 + random(lane.count - from);
		let depth = 0;
		const alike = (d: number): boolean => {
			for (let p = from; p < to; p++) {
				if (p > from && lane.gap[p - 1]) return false;
				if (nameAt(made, p, d) === '' || nameAt(made, p, d) !== nameAt(made, from, d)) return false;
			}
			return true;
		};
		while (alike(depth + 1)) depth++;
		const joined = joinIn(tables, lane, from, to);
		assert.equal(joined === NONE ? 0 : tables.stackDepth[joined], depth, `${from} ${to}`);
	}
});

test('a call lasts as long as its frame stays, and no longer than ticks are there', () => {
	const made = randomLane(11, 300);
	const { tables, lane } = made;
	for (let place = 0; place < lane.count; place++) {
		for (let depth = 1; depth <= 5; depth++) {
			const call = callAt(tables, lane, place, depth);
			const stack = stackAt(tables, lane.joined[0][place], depth);
			assert.equal(call === null, stack === NONE);
			if (!call) continue;
			let [from, to] = [place, place + 1];
			const same = (p: number): boolean => stackAt(tables, lane.joined[0][p], depth) === stack;
			while (to < lane.count && !lane.gap[to - 1] && same(to)) to++;
			while (from > 0 && !lane.gap[from - 1] && same(from - 1)) from--;
			assert.deepEqual(call, { from, to, stack });
		}
	}
});

test('deep stacks are joined where they part', () => {
	const path = (depth: number, name: string): string =>
		Array.from({ length: depth }, (_, d) => (d < 37 ? `f${d}` : `${name}${d}`)).join(';');
	const depths = [90, 37, 38, 64, 53, 1];
	for (const a of depths) {
		for (const b of depths) {
			const { tables, lane } = laneOf([path(a, 'x'), path(b, 'y')]);
			const joined = joinIn(tables, lane, 0, 2);
			assert.equal(tables.stackDepth[joined], Math.min(a, b, 37), `${a} ${b}`);
			for (let d = 1; d <= a; d++) {
				const stack = stackAt(tables, lane.joined[0][0], d);
				assert.equal(tables.stackDepth[stack], d);
			}
		}
	}
});

test('a call ends where a tick is missing, not where ticks are late within their periods', () => {
	const { tables, lane } = laneOf(['a @0', 'a @1.9', 'a @3', 'a @8', 'a @9']);
	assert.deepEqual([...lane.gap], [0, 0, 1, 0, 1]);
	assert.equal(callAt(tables, lane, 0, 1)?.to, 3);
	assert.equal(callAt(tables, lane, 4, 1)?.from, 3);
	assert.equal(lane.endNs[2], 4 * MS, 'a period, then nothing');
	assert.equal(lane.endNs[0], 1.9 * MS);
});

test('places are found by time', () => {
	const { lane } = laneOf(['a @0', 'a @1', 'a @2', 'a @8']);
	assert.equal(placeFrom(lane, 1.5 * MS), 2);
	assert.equal(placeFrom(lane, 100 * MS), 4);
	assert.equal(placeFrom(lane, -1), 0);
	assert.equal(placeFrom(lane, 2 * MS, 1), 2);
	assert.equal(placeOver(lane, 1.5 * MS), 1);
	assert.equal(placeOver(lane, 1 * MS), 1);
	assert.equal(placeOver(lane, 5 * MS), NONE);
});

test('columns: alike samples in full, differing ones faded above what they share', () => {
	const made = laneOf(['a;b', 'a;b', 'a;c', 'a;d', 'a;b;e', 'a;b;e']);
	const { tables, lane } = made;
	const columns = makeColumns(tables, lane, 0, 6 * MS, 3);
	assert.deepEqual([...columns.sure], [2, 1, 3]);
	assert.deepEqual([...columns.on], [1, 1, 0]);
	const full = Uint32Array.from({ length: tables.funcCount }, (_, f) => 100 + f);
	const faded = Uint32Array.from({ length: tables.funcCount }, (_, f) => 200 + f);
	const pixels = new Uint32Array(9);
	fillImage(columns, tables, { full, faded, sample: null }, pixels, 3);
	const func = (name: string): number => tables.funcName.indexOf(name);
	const [a, b, d, e] = ['a', 'b', 'd', 'e'].map(func);
	assert.deepEqual(
		[...pixels],
		[100 + a, 100 + a, 100 + a, 100 + b, 200 + d, 100 + b, 0, 0, 100 + e],
	);
	assert.deepEqual(
		findRuns(columns, 3, 1).map((r) => [r.depth, r.from, r.to]),
		[
			[2, 0, 1],
			[1, 0, 3],
			[2, 2, 3],
			[3, 2, 3],
		],
	);
});

test('columns: one sample over many goes on, a gap is empty', () => {
	const { tables, lane } = laneOf(['a;b @0', 'a @1', 'a @10']);
	const columns = makeColumns(tables, lane, 0, 11 * MS, 22);
	assert.deepEqual([...columns.sure], [2, 2, 1, 1, ...Array(16).fill(0), 1, 1]);
	assert.deepEqual(
		findRuns(columns, 2, 1).map((r) => [r.depth, r.from, r.to]),
		[
			[2, 0, 2],
			[1, 0, 4],
			[1, 20, 22],
		],
	);
});

test('columns agree with the samples, however they are cut', () => {
	const made = randomLane(23, 400);
	const { tables, lane } = made;
	const end = lane.endNs[lane.count - 1];
	for (const count of [7, 100, 399, 3000]) {
		const columns = makeColumns(tables, lane, 0, end, count);
		for (const run of findRuns(columns, lane.depth, 1)) {
			const call = callAt(tables, lane, run.place, run.depth);
			assert.ok(call);
			// no longer than the call, but for the columns at its ends
			const step = end / count;
			assert.ok(run.from * step >= lane.timeNs[call.from] - step);
			assert.ok(run.to * step <= lane.endNs[call.to - 1] + step);
		}
	}
});

test('an empty thread has nothing to draw', () => {
	const { tables, lane } = laneOf([]);
	assert.equal(lane.depth, 0);
	assert.deepEqual([...makeColumns(tables, lane, 0, MS, 2).stack], [NONE, NONE]);
	assert.equal(placeOver(lane, 0), NONE);
});

test('lanes lie below each other', () => {
	const { lane } = laneOf(['a;b;c']);
	const [one, two] = layLanes([lane, lane], 10);
	assert.equal(one.end - one.rows >= 30, true);
	assert.equal(two.top, one.end);
});
