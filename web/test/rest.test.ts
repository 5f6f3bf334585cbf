// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forget, isPutOff, putOff, settleAll } from '../src/app/rest.js';

const LONG = 60_000; // longer than any test: what runs was told to

test('what is put off is done once, at the latest when all is settled', () => {
	const done: string[] = [];
	const [a, b] = [{}, {}];
	putOff(a, LONG, () => done.push('a, first'));
	putOff(b, LONG, () => done.push('b'));
	putOff(a, LONG, () => done.push('a'));
	assert.deepEqual(done, []);
	assert.deepEqual([isPutOff(a), isPutOff(b)], [true, true]);
	settleAll();
	assert.deepEqual(done.sort(), ['a', 'b']);
	settleAll();
	assert.equal(done.length, 2);
	assert.equal(isPutOff(a), false);
});

test('what that puts off is done too', () => {
	const done: string[] = [];
	const [timeline, store] = [{}, {}];
	putOff(timeline, LONG, () => {
		assert.equal(isPutOff(timeline), false, 'it is being done');
		putOff(store, LONG, () => done.push('address'));
	});
	settleAll();
	assert.deepEqual(done, ['address']);
});

test('what is forgotten is not done', () => {
	const key = {};
	putOff(key, LONG, () => assert.fail('it was forgotten'));
	forget(key);
	settleAll();
});

test('at rest it is done by itself', async () => {
	await new Promise<void>((done) => putOff({}, 1, done));
});
