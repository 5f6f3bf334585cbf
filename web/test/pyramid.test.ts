// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	columnPlaces,
	KINDS,
	layerIn,
	layerReady,
	makeLayer,
	makeMix,
	makePyramid,
	mixIn,
	placeAt,
	type Series,
	setValues,
} from '../src/model/pyramid.js';

/** The same numbers at each run. */
function dice(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}

const STACKS = 50;

function someSeries(count: number, weighted: boolean): Series {
	const roll = dice(count + 1);
	const series = {
		count,
		rows: null,
		first: 0,
		timeNs: new Float64Array(count),
		stack: new Uint32Array(count),
		depth: new Uint16Array(count),
		kind: new Uint8Array(count),
		weight: weighted ? new Float64Array(count) : null,
		many: false,
	};
	let time = 0;
	for (let i = 0; i < count; i++) {
		time += roll(4) === 0 ? 0 : roll(100);
		series.timeNs[i] = time;
		series.stack[i] = roll(STACKS);
		series.depth[i] = 1 + roll(roll(100) === 0 ? 900 : 20);
		series.kind[i] = roll(KINDS);
		if (series.weight !== null) series.weight[i] = 1 + roll(5);
	}
	return series;
}

/** Stretches of all lengths, also empty ones and those at the ends. */
function* stretches(count: number): Generator<[number, number]> {
	const roll = dice(99);
	yield [0, count];
	yield [0, 0];
	yield [count, count];
	for (let i = 0; i < 300; i++) {
		const from = roll(count + 1);
		yield [from, Math.min(count, from + roll(2 ** roll(16)))];
	}
}

for (const count of [0, 1, 15, 16, 17, 256, 4096, 5000, 70_001]) {
	for (const weighted of [false, true]) {
		test(`mixes agree with adding up, ${count} samples${weighted ? ' with weights' : ''}`, () => {
			const s = someSeries(count, weighted);
			const p = makePyramid(s);
			const mix = makeMix();
			for (const [from, to] of stretches(count)) {
				const slow = { weights: new Float64Array(KINDS), depthSum: 0, weight: 0, deepest: 0 };
				for (let i = from; i < to; i++) {
					const w = s.weight?.[i] ?? 1;
					slow.weights[s.kind[i]] += w;
					slow.weight += w;
					slow.depthSum += w * s.depth[i];
					slow.deepest = Math.max(slow.deepest, s.depth[i]);
				}
				mixIn(s, p, from, to, mix);
				assert.deepEqual({ ...mix }, slow, `places ${from} to ${to}`);
			}
		});

		test(`layers agree with adding up, ${count} samples${weighted ? ' with weights' : ''}`, () => {
			const s = someSeries(count, weighted);
			const roll = dice(5);
			const layer = makeLayer(s, new Uint16Array(STACKS).fill(9));
			layerReady(layer, 0, count, () => false);
			// what was worked out for other values is gone
			const values = Uint16Array.from({ length: STACKS }, () => (roll(3) === 0 ? roll(30) : 0));
			setValues(layer, values);
			const mix = { greatest: 0, sum: 0, hits: 0 };
			for (const [from, to] of stretches(count)) {
				assert.equal(
					layerReady(layer, from, to, () => false),
					true,
				);
				const slow = { greatest: 0, sum: 0, hits: 0 };
				for (let i = from; i < to; i++) {
					const value = values[s.stack[i]];
					const w = s.weight?.[i] ?? 1;
					slow.greatest = Math.max(slow.greatest, value);
					slow.sum += w * value;
					if (value > 0) slow.hits += w;
				}
				layerIn(layer, from, to, mix);
				assert.deepEqual(mix, slow, `places ${from} to ${to}`);
			}
		});
	}
}

test('a layer works out only what is asked for, and no more than there is time for', () => {
	const s = someSeries(20_000, false);
	const layer = makeLayer(s, new Uint16Array(STACKS).fill(3));
	layerReady(layer, 5000, 5001, () => false);
	assert.deepEqual([...layer.done], [0, 1, 0, 0, 0]);
	let asked = 0;
	assert.equal(
		layerReady(layer, 0, 20_000, () => ++asked > 2),
		false,
	);
	assert.deepEqual([...layer.done], [1, 1, 1, 0, 0]);
	assert.equal(
		layerReady(layer, 0, 20_000, () => false),
		true,
	);
	assert.deepEqual([...layer.done], [1, 1, 1, 1, 1]);
});

test('placeAt finds the first sample that is not earlier', () => {
	const s = someSeries(3000, false);
	const roll = dice(3);
	for (let i = 0; i < 500; i++) {
		const time = roll(s.timeNs[s.count - 1] + 100) - 20;
		const slow = s.timeNs.findIndex((t) => t >= time);
		const expected = slow < 0 ? s.count : slow;
		assert.equal(placeAt(s, time), expected);
		assert.equal(placeAt(s, time, roll(expected + 1)), expected);
	}
});

test('columns have every sample of the window once', () => {
	const s = someSeries(5000, false);
	const out = new Uint32Array(302);
	for (const [from, to] of [
		[0, s.timeNs[4999] + 1],
		[1000.5, 1001.25],
		[-500, 20_000],
		[s.timeNs[4999], s.timeNs[4999] + 1e6],
	]) {
		columnPlaces(s, from, to, 300, out);
		const step = (to - from) / 300;
		for (let i = 0; i < 300; i++) {
			for (let place = out[i]; place < out[i + 1]; place++) {
				assert.ok(s.timeNs[place] >= from + i * step && s.timeNs[place] < from + (i + 1) * step);
			}
		}
		const within = s.timeNs.filter((t) => t >= from && t < from + 300 * step).length;
		assert.equal(out[300] - out[0], within);
	}
});
